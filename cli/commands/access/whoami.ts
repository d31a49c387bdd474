import type { Command } from 'commander';
import { meSchema } from '../../../contract/access.ts';
import type { Cli } from '../../cli.ts';
import { minuteOf } from '../../text/text-layout.ts';

/** Adds `whoami`. */
export function addWhoami(program: Command, cli: Cli): void {
  cli
    .command(program, 'whoami', 'show the user, the tenant and the key of your commands')
    .option('--json', 'print JSON')
    .action(
      cli.onServer(async (server, { json }: { readonly json?: boolean }) => {
        const me = await server.get('/auth/me', meSchema);
        const { user, tenant, role, key, is_operator: isOperator } = me;
        const ends = key.expires_at === null ? '' : `, until ${minuteOf(key.expires_at)} UTC`;
        const text = `${user.username} in ${tenant.name}, on ${server.url}
role  ${role}${isOperator ? ', operator' : ''}
key   ${key.name}: ${key.scopes.join(', ')}${ends}
`;
        cli.print(json, me, text);
      }),
    );
}
