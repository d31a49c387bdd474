import type { Command } from 'commander';
import { meSchema } from '../../../contract/access.ts';
import { passwordAnswer } from '../../../contract/login.ts';
import type { Cli } from '../../cli.ts';
import { hiddenInput } from '../../hidden-input.ts';

/** Adds `password`. */
export function addPassword(program: Command, cli: Cli): void {
  const { output } = cli;
  cli.command(program, 'password', 'set the password of your log-in; prompts for it').action(
    cli.onServer(async (server) => {
      const { user, login } = await server.get('/auth/me', meSchema);
      const current = login.password ? await hiddenInput('Current password') : undefined;
      const password = await hiddenInput(`New password of ${user.username}`);
      if (current === null || password === null) {
        output.err('recollect password prompts on a terminal; there is none.\n');
        return 1;
      }
      if (password !== (await hiddenInput('The same again'))) {
        output.err('The passwords differ. Nothing was changed.\n');
        return 1;
      }
      const body = { password, ...(current !== undefined && { current_password: current }) };
      await server.request('PUT', '/auth/password', passwordAnswer, { body });
      output.out(`${user.username} logs in with the new password. All sessions of ${user.username} have ended.\n`);
      return 0;
    }),
  );
}
