import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Command } from 'commander';
import type { Cli } from '../../cli.ts';
import { BUILT_CLIENT } from '../../../hook/command-line.ts';

/**
 * For the help, and for starts other than `bin.mjs` (`npm run recollect -- hook EVENT`): `bin.mjs` runs the built client before this
 * module loads. The client exits the process itself.
 */
export function addHook(program: Command, cli: Cli): void {
  program
    .command('hook')
    .description('send one hook of an agent from stdin; exits with 0 within half a second (docs/hook-client.md)')
    .argument('[event]', 'name as SessionStart or PostToolUse')
    .option('--host <host>', 'agent that sends the hook (docs/other-agents.md)')
    .option('--data-dir <folder>', 'data directory of the instance (RECOLLECT_DATA_DIR takes precedence)')
    .allowUnknownOption()
    .allowExcessArguments()
    .action(() => {
      // Without the build step there is no client; the agent must not see a failed hook.
      if (existsSync(BUILT_CLIENT)) createRequire(import.meta.url)(BUILT_CLIENT);
      else cli.exit(0);
    });
}
