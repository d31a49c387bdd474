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
        const { user, tenant, role, scopes, credential, is_operator: isOperator } = me;
        const ends = credential.expires_at === null ? '' : `, until ${minuteOf(credential.expires_at)} UTC`;
        const text = `${user.username} in ${tenant.name}, on ${server.url}
role  ${role}${isOperator ? ', operator' : ''}
key   ${credential.name ?? credential.kind}: ${scopes.join(', ')}${ends}
`;
        cli.print(json, me, text);
      }),
    );
}
