import type { Command } from 'commander';
import { createdTenant, invitedAnswer, listedTenant, tenantSchema } from '../../../contract/access.ts';
import { pageOfItems } from '../../../contract/shared.ts';
import type { Cli } from '../../cli.ts';
import { path } from '../../server/server-client.ts';
import { inviteText, tenantsText } from '../../text/access-text.ts';

interface ListOptions {
  readonly limit: string;
  readonly json?: boolean;
}

interface AddOptions {
  readonly admin: string;
  readonly email?: string;
}

const NAMED = 'id of a tenant';

/** Adds `tenants` with its subcommands. */
export function addTenants(program: Command, cli: Cli): void {
  const { output } = cli;
  const command = cli.command(program, 'tenants', 'list, add and suspend tenants; for operators');

  cli
    .command(command, 'list', 'list tenants')
    .option('--limit <count>', 'maximum number of rows, up to 100', '50')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, { limit, json }: ListOptions) => {
        const { data } = await server.get('/admin/tenants', pageOfItems(listedTenant), { limit: Number(limit) });
        cli.print(json, data, tenantsText(data, Date.now()));
      }),
    );
  cli
    .command(command, 'add', 'add a tenant and print a link that lets its first admin join once')
    .argument('<name>', 'name of the tenant')
    .requiredOption('--admin <username>', 'username of the first admin')
    .option('--email <address>', 'email address of the first admin')
    .action(
      cli.onServer(async (server, name: string, { admin: username, email }: AddOptions) => {
        const body = { name, admin: { username, email } };
        const { tenant, user, invite } = await server.post('/admin/tenants', createdTenant, body);
        output.out(`Tenant ${tenant.name} added (${tenant.id}).\n${inviteText(user, invite, server.url)}`);
      }),
    );
  cli
    .command(command, 'invite', 'print a new link for the first admin, while no admin of the tenant has a key')
    .argument('<tenant>', NAMED)
    .action(
      cli.onServer(async (server, id: string) => {
        const { user, invite } = await server.post(path`/admin/tenants/${id}/invite`, invitedAnswer);
        output.out(inviteText(user, invite, server.url));
      }),
    );
  for (const [name, suspended, description, result] of [
    ['suspend', true, 'stop all keys of a tenant at once; the data remain', 'is suspended: no key of it works'],
    ['resume', false, 'let the keys of a suspended tenant work again', 'is active'],
  ] as const)
    cli
      .command(command, name, description)
      .argument('<tenant>', NAMED)
      .action(
        cli.onServer(async (server, id: string) => {
          const body = { suspended };
          const tenant = await server.request('PUT', path`/admin/tenants/${id}`, tenantSchema, { body });
          output.out(`${tenant.name} ${result}.\n`);
        }),
      );
}
