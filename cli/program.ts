import { Command } from 'commander';
import { addBackup } from './commands/backup.ts';
import { addCheck } from './commands/check.ts';
import { addArchive } from './commands/archive.ts';
import { addContext } from './commands/context.ts';
import { addDemo } from './commands/demo.ts';
import { addDoctor } from './commands/doctor.ts';
import { addDown } from './commands/down.ts';
import { addHold } from './commands/hold.ts';
import { addErase } from './commands/erase.ts';
import { addExport } from './commands/export.ts';
import { addHook } from './commands/hook.ts';
import { addGet } from './commands/get.ts';
import { addImport } from './commands/import.ts';
import { addForget } from './commands/forget.ts';
import { addInstall } from './commands/install.ts';
import { addJobs } from './commands/jobs.ts';
import { addLearnings } from './commands/learnings.ts';
import { addLogs } from './commands/logs.ts';
import { addMcp } from './commands/mcp.ts';
import { addProjects } from './commands/projects.ts';
import { addRemember } from './commands/remember.ts';
import { addRestore } from './commands/restore.ts';
import { addSearch } from './commands/search.ts';
import { addRetention } from './commands/retention.ts';
import { addService } from './commands/service.ts';
import { addSessions } from './commands/sessions.ts';
import { addSpool } from './commands/spool.ts';
import { addStatus } from './commands/status.ts';
import { addStats } from './commands/stats.ts';
import { addSummary } from './commands/summary.ts';
import { addTimeline } from './commands/timeline.ts';
import { addTrace } from './commands/trace.ts';
import { addUninstall } from './commands/uninstall.ts';
import { addUp } from './commands/up.ts';
import { addUsage } from './commands/usage.ts';
import type { CommandContext, ExitCode } from './command-context.ts';
import { shownText } from './terminal-text.ts';

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
  addSearch,
  addGet,
  addRemember,
  addForget,
  addErase,
  addExport,
  addTimeline,
  addContext,
  addMcp,
  addSessions,
  addSummary,
  addLearnings,
  addUsage,
  addStats,
  addJobs,
  addCheck,
  addTrace,
  addProjects,
  addRetention,
  addHold,
  addArchive,
  addRestore,
  addBackup,
];

/** The same surroundings, in which nothing that is written steers the terminal. */
function guarded({ environment, output }: CommandContext): CommandContext {
  const { out, err, columns } = output;
  return {
    environment,
    output: { out: (text) => out(shownText(text)), err: (text) => err(shownText(text)), columns },
  };
}

/** The `recollect` command with all its subcommands. */
export function createProgram(context: CommandContext, exit: (code: ExitCode) => void): Command {
  const program = new Command('recollect').description('Durable memory for coding agents').showHelpAfterError();
  for (const add of COMMANDS) add(program, guarded(context), exit);
  return program;
}
