import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Command } from 'commander';
import { BUILT_CLIENT } from '../../../hook/command-line.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';

/**
 * Shown in the help, and the way in where `recollect` was not started by its own file (`npm run recollect -- hook EVENT`): that file
 * runs the built client before this one is loaded. The client ends the process itself.
 */
export function addHook(program: Command, _context: CommandContext, exit: (code: ExitCode) => void): void {
  program
    .command('hook')
    .description('take one hook of an agent from stdin; always ends with 0 and in half a second (docs/hook-client.md)')
    .argument('[event]', 'such as SessionStart or PostToolUse')
    .option('--host <host>', 'claude-code, codex-cli or cursor')
    .option('--data-dir <folder>', 'where the instance keeps everything, unless RECOLLECT_DATA_DIR says it')
    .allowUnknownOption()
    .allowExcessArguments()
    .action(() => {
      // Without the build step there is no client, and an agent must not be told of it as a failed hook.
      if (existsSync(BUILT_CLIENT)) createRequire(import.meta.url)(BUILT_CLIENT);
      else exit(0);
    });
}
