import { Command } from 'commander';
import { addDemo } from './commands/demo.ts';
import { addDoctor } from './commands/doctor.ts';
import { addDown } from './commands/down.ts';
import { addHooks } from './commands/hooks.ts';
import { addLogs } from './commands/logs.ts';
import { addStatus } from './commands/status.ts';
import { addUp } from './commands/up.ts';
import type { CommandContext, ExitCode } from './command-context.ts';

/** Adds a command to the program. `exit` takes the code that the process ends with. */
export type AddCommand = (program: Command, context: CommandContext, exit: (code: ExitCode) => void) => void;

const COMMANDS: readonly AddCommand[] = [addUp, addDown, addStatus, addLogs, addDemo, addHooks, addDoctor];

/** The `recollect` command with all its subcommands. */
export function createProgram(context: CommandContext, exit: (code: ExitCode) => void): Command {
  const program = new Command('recollect').description('Durable memory for coding agents').showHelpAfterError();
  for (const add of COMMANDS) add(program, context, exit);
  return program;
}
