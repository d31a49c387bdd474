import type { Command } from 'commander';
import { grantSchema } from '../../../contract/grants.ts';
import { pageOfItems } from '../../../contract/shared.ts';
import type { Cli } from '../../cli.ts';
import { path } from '../../server/server-client.ts';
import { grantsText } from '../../text/access-text.ts';

interface ListOptions {
  readonly user?: string;
  readonly all?: boolean;
  readonly ended?: boolean;
  readonly limit: string;
  readonly json?: boolean;
}

/** Adds `grants` with its subcommands. */
export function addGrants(program: Command, cli: Cli): void {
  const command = cli.command(program, 'grants', 'list and revoke the access of MCP clients that use OAuth');

  cli
    .command(command, 'list', 'list your grants')
    .option('--user <user>', 'grants of a user: id or username; for admins')
    .option('--all', 'grants of all users of your tenant; for admins')
    .option('--ended', 'include ended and expired grants')
    .option('--limit <count>', 'maximum number of rows, up to 100', '50')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, { user, all, ended, limit, json }: ListOptions) => {
        const query = { user, all, ended, limit: Number(limit) };
        const { data } = await server.get('/auth/grants', pageOfItems(grantSchema), query);
        cli.print(json, data, grantsText(data, Date.now()));
      }),
    );
  cli
    .command(command, 'revoke', 'end the access of a client at once; for admins also that of other users')
    .argument('<grant>', 'id of a grant')
    .action(
      cli.onServer(async (server, id: string) => {
        const grant = await server.request('DELETE', path`/auth/grants/${id}`, grantSchema);
        cli.output.out(`Revoked: ${grant.client_name ?? grant.client_host} of ${grant.username}.\n`);
      }),
    );
}
