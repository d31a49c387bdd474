import { Argument, Option } from 'commander';
import type { Command } from 'commander';
import { invitedAnswer, transferAnswer, userSchema } from '../../../contract/access.ts';
import { removedFactors } from '../../../contract/login.ts';
import { identityList, identitySchema } from '../../../contract/single-sign-on.ts';
import { pageOfItems } from '../../../contract/shared.ts';
import { ROLES } from '../../../domain/access.ts';
import type { Role } from '../../../domain/access.ts';
import type { Cli } from '../../cli.ts';
import { path } from '../../server/server-client.ts';
import { identitiesText, inviteText, transferText, usersText } from '../../text/access-text.ts';

interface ListOptions {
  readonly search?: string;
  readonly limit: string;
  readonly json?: boolean;
}

interface TransferOptions {
  readonly to: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

interface AddOptions {
  readonly role: Role;
  readonly email?: string;
}

const NAMED = 'id or username';

/** Adds `users` with its subcommands. */
export function addUsers(program: Command, cli: Cli): void {
  const { output } = cli;
  const command = cli.command(program, 'users', 'list, invite and deactivate the users of your tenant; for admins');

  cli
    .command(command, 'list', 'list users')
    .option('--search <words>', 'search usernames and email addresses')
    .option('--limit <count>', 'maximum number of rows, up to 100', '50')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, { search, limit, json }: ListOptions) => {
        const { data } = await server.get('/admin/users', pageOfItems(userSchema), { search, limit: Number(limit) });
        cli.print(json, data, usersText(data, Date.now()));
      }),
    );
  cli
    .command(command, 'add', 'add a user and print a link that lets the user join once')
    .argument('<username>', 'small letters, digits, dot, dash and underscore')
    .addOption(new Option('--role <role>', 'rights of the user').choices(ROLES).default('user'))
    .option('--email <address>', 'email address')
    .action(
      cli.onServer(async (server, username: string, { role, email }: AddOptions) => {
        const { user, invite } = await server.post('/admin/users', invitedAnswer, { username, role, email });
        output.out(inviteText(user, invite, server.url));
      }),
    );
  cli
    .command(command, 'invite', 'print a new link for a user; older links end')
    .argument('<user>', NAMED)
    .action(
      cli.onServer(async (server, given: string) => {
        const { user, invite } = await server.post(path`/admin/users/${given}/invite`, invitedAnswer);
        output.out(inviteText(user, invite, server.url));
      }),
    );
  cli
    .command(command, 'set-role', 'change the role of a user')
    .argument('<user>', NAMED)
    .addArgument(new Argument('<role>').choices(ROLES))
    .action(
      cli.onServer(async (server, given: string, role: Role) => {
        const user = await server.request('PUT', path`/admin/users/${given}`, userSchema, { body: { role } });
        output.out(`${user.username} is ${user.role} now.\n`);
      }),
    );
  cli
    .command(
      command,
      'deactivate',
      'stop all keys of a user at once; the data remain (recollect erase user deletes them)',
    )
    .argument('<user>', NAMED)
    .action(
      cli.onServer(async (server, given: string) => {
        const body = { active: false };
        const user = await server.request('PUT', path`/admin/users/${given}`, userSchema, { body });
        output.out(`${user.username} is inactive: no key of this user works. The data remain.\n`);
      }),
    );
  cli
    .command(command, 'activate', 'activate a user; keys that were not revoked work again')
    .argument('<user>', NAMED)
    .action(
      cli.onServer(async (server, given: string) => {
        const body = { active: true };
        const user = await server.request('PUT', path`/admin/users/${given}`, userSchema, { body });
        output.out(`${user.username} is active: keys that were not revoked work again.\n`);
      }),
    );
  cli
    .command(command, 'transfer', 'make another user the owner of the shared learnings of a user, for one who leaves')
    .argument('<user>', NAMED)
    .requiredOption('--to <user>', `new owner, by ${NAMED}`)
    .option('--dry-run', 'count only')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, given: string, { to, dryRun = false, json }: TransferOptions) => {
        const body = { to, dry_run: dryRun };
        const answer = await server.post(path`/admin/users/${given}/transfer`, transferAnswer, body);
        cli.print(json, answer, transferText(answer, given, to));
      }),
    );
  cli
    .command(command, 'reset-mfa', 'remove the second factors of a user who lost them; sessions of the user end')
    .argument('<user>', NAMED)
    .action(
      cli.onServer(async (server, given: string) => {
        const { removed } = await server.request('DELETE', path`/admin/users/${given}/mfa`, removedFactors);
        output.out(
          removed ? `${given} logs in without a second factor until a new one.\n` : `${given} has no second factor.\n`,
        );
      }),
    );
  cli
    .command(command, 'identities', 'list the accounts of a user at log-in providers')
    .argument('<user>', NAMED)
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, given: string, { json }: { readonly json?: boolean }) => {
        const { data } = await server.get(path`/admin/users/${given}/identities`, identityList);
        cli.print(json, data, identitiesText(data, Date.now()));
      }),
    );
  cli
    .command(command, 'unlink', 'remove an account at a log-in provider from a user, who then cannot log in by it')
    .argument('<user>', NAMED)
    .argument('<identity>', 'id of the list of identities')
    .action(
      cli.onServer(async (server, given: string, identity: string) => {
        const { issuer } = await server.request(
          'DELETE',
          path`/admin/users/${given}/identities/${identity}`,
          identitySchema,
        );
        output.out(`${given} cannot log in by ${issuer} any more.\n`);
      }),
    );
}
