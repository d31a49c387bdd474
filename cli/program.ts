import { Command } from 'commander';
import { addBackup } from './commands/operations/backup.ts';
import { addConsistency } from './commands/operations/consistency.ts';
import { addArchive, addRetention, addLegalHold } from './commands/operations/retention.ts';
import { addContext } from './commands/memory/context.ts';
import { addDemo } from './commands/instance/demo.ts';
import { addDoctor } from './commands/instance/doctor.ts';
import { addDown, addUp } from './commands/instance/up.ts';
import { addErase } from './commands/operations/erase.ts';
import { addExport } from './commands/operations/export.ts';
import { addHook } from './commands/instance/hook.ts';
import { addGet, addTrace } from './commands/memory/trace.ts';
import { addImport } from './commands/operations/import.ts';
import { addForget } from './commands/memory/forget.ts';
import { addInstall, addUninstall } from './commands/instance/install.ts';
import { addJobs } from './commands/operations/jobs.ts';
import { addLearnings } from './commands/memory/learnings.ts';
import { addLogs } from './commands/instance/logs.ts';
import { addMcp } from './commands/instance/mcp.ts';
import { addProjects } from './commands/memory/projects.ts';
import { addRemember } from './commands/memory/remember.ts';
import { addRestore } from './commands/operations/restore.ts';
import { addSearch } from './commands/memory/search.ts';
import { addSchedules } from './commands/operations/schedules.ts';
import { addService } from './commands/instance/service.ts';
import { addSessions } from './commands/memory/sessions.ts';
import { addSpool } from './commands/instance/spool.ts';
import { addStatus } from './commands/instance/status.ts';
import { addStats } from './commands/operations/stats.ts';
import { addSummary, addTimeline } from './commands/memory/timeline.ts';
import { addUsage } from './commands/operations/usage.ts';
import { Cli } from './cli.ts';
import type { AddCommand } from './cli.ts';
import type { CommandContext, ExitCode } from './command-context.ts';
import { shownText } from './text/terminal-text.ts';

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
  addSchedules,
  addConsistency,
  addTrace,
  addProjects,
  addRetention,
  addLegalHold,
  addArchive,
  addRestore,
  addBackup,
];

/** Returns the context with output that escapes terminal control characters. */
function guarded({ environment, output }: CommandContext): CommandContext {
  const { out, err, columns } = output;
  return {
    environment,
    output: { out: (text) => out(shownText(text)), err: (text) => err(shownText(text)), columns },
  };
}

/** Returns the `recollect` command with all subcommands. */
export function createProgram(context: CommandContext, exit: (code: ExitCode) => void): Command {
  const program = new Command('recollect').description('Durable memory for coding agents').showHelpAfterError();
  const cli = new Cli(guarded(context), exit);
  for (const add of COMMANDS) add(program, cli);
  return program;
}
