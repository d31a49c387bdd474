import { Command } from 'commander';
import { addDemo } from './commands/demo.ts';
import { addDoctor } from './commands/doctor.ts';
import { addDown } from './commands/down.ts';
import { addHook } from './commands/hook.ts';
import { addImport } from './commands/import.ts';
import { addForget } from './commands/forget.ts';
import { addInstall } from './commands/install.ts';
import { addJobs } from './commands/jobs.ts';
import { addLearnings } from './commands/learnings.ts';
import { addLogs } from './commands/logs.ts';
import { addProjects } from './commands/projects.ts';
import { addService } from './commands/service.ts';
import { addSessions } from './commands/sessions.ts';
import { addSpool } from './commands/spool.ts';
import { addStatus } from './commands/status.ts';
import { addSummary } from './commands/summary.ts';
import { addTrace } from './commands/trace.ts';
import { addUninstall } from './commands/uninstall.ts';
import { addUp } from './commands/up.ts';
import { addUsage } from './commands/usage.ts';
import type { CommandContext, ExitCode } from './command-context.ts';

/** Adds a command to the program. `exit` takes the code that the process ends with. */
export type AddCommand = (program: Command, context: CommandContext, exit: (code: ExitCode) => void) => void;

const COMMANDS: readonly AddCommand[] = [
  addUp,
  addDown,
  addStatus,
  addLogs,
  addDemo,
  addHook,
  addSpool,
  addDoctor,
  addImport,
  addInstall,
  addUninstall,
  addService,
  addSessions,
  addSummary,
  addLearnings,
  addUsage,
  addJobs,
  addTrace,
  addForget,
  addProjects,
];

/** The `recollect` command with all its subcommands. */
export function createProgram(context: CommandContext, exit: (code: ExitCode) => void): Command {
  const program = new Command('recollect').description('Durable memory for coding agents').showHelpAfterError();
  for (const add of COMMANDS) add(program, context, exit);
  return program;
}
