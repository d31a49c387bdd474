import { Command } from 'commander';
import { VERSION } from '../config/version.ts';
import { addGrants } from './commands/access/grants.ts';
import { addJoin } from './commands/access/join.ts';
import { addKeys } from './commands/access/keys.ts';
import { addSharing } from './commands/access/sharing.ts';
import { addTenants } from './commands/access/tenants.ts';
import { addUsers } from './commands/access/users.ts';
import { addOpen } from './commands/access/open.ts';
import { addPassword } from './commands/access/password.ts';
import { addWhoami } from './commands/access/whoami.ts';
import { addAudit } from './commands/operations/audit.ts';
import { addBackup } from './commands/operations/backup.ts';
import { addConsistency } from './commands/operations/consistency.ts';
import { addArchive, addRetention, addLegalHold } from './commands/operations/retention.ts';
import { addContext } from './commands/memory/context.ts';
import { addContexts } from './commands/memory/contexts.ts';
import { addDemo } from './commands/instance/demo.ts';
import { addDoctor } from './commands/instance/doctor.ts';
import { addDown, addUp } from './commands/instance/up.ts';
import { addErase } from './commands/operations/erase.ts';
import { addExport } from './commands/operations/export.ts';
import { addGdpr } from './commands/operations/gdpr.ts';
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
import { addSecrets } from './commands/instance/secrets.ts';
import { addService } from './commands/instance/service.ts';
import { addSessions } from './commands/memory/sessions.ts';
import { addSpool } from './commands/instance/spool.ts';
import { addStatus } from './commands/instance/status.ts';
import { addStats } from './commands/operations/stats.ts';
import { addSummary, addTimeline } from './commands/memory/timeline.ts';
import { addWatch } from './commands/operations/watch.ts';
import { addUsage } from './commands/operations/usage.ts';
import { addUpgrade } from './commands/instance/upgrade.ts';
import { addMigrate } from './commands/server/migrate.ts';
import { addServer, addWorker } from './commands/server/run.ts';
import { Cli } from './cli.ts';
import type { AddCommand } from './cli.ts';
import type { CommandContext, ExitCode } from './command-context.ts';
import { colouredText, shownText } from './text/terminal-text.ts';

/** The commands by what people want; the heading of each group in the help. */
const GROUPS: Readonly<Record<string, readonly AddCommand[]>> = {
  'Start and stop:': [addUp, addDown, addStatus, addLogs, addService, addUpgrade, addSecrets, addDoctor, addDemo],
  'Run on servers:': [addServer, addWorker, addMigrate],
  'Connect agents:': [addInstall, addUninstall, addMcp, addHook, addSpool],
  'Recall:': [addSearch, addGet, addTimeline, addContext, addSummary, addLearnings, addSessions, addProjects],
  'Remember and forget:': [addRemember, addForget, addErase, addGdpr, addImport, addExport],
  'Look inside:': [addJobs, addWatch, addContexts, addTrace, addUsage, addStats, addSchedules, addConsistency],
  'People and access:': [
    addJoin,
    addOpen,
    addWhoami,
    addPassword,
    addUsers,
    addKeys,
    addGrants,
    addSharing,
    addTenants,
    addAudit,
  ],
  'Keep and restore:': [addBackup, addRestore, addRetention, addArchive, addLegalHold],
};

/** Lets a command and its subcommands answer a wrong argument with their own usage in one line. */
function showUsageAfterErrors(command: Command): void {
  const usage = command.createHelp().commandUsage(command);
  command.showHelpAfterError(`Usage: ${usage}\n(add --help for all options)`);
  for (const child of command.commands) showUsageAfterErrors(child);
}

/** Returns the message for an unknown command that is a subcommand of others with these commands, else `message`. */
function withGroups(message: string, { commands }: Command): string {
  const name = /unknown command '([^']+)'/.exec(message)?.[1];
  const groups = commands.filter((group) => group.commands.some((command) => command.name() === name));
  if (groups.length === 0) return message;
  const meant = groups.map((group) => `recollect ${group.name()} ${name ?? ''}`);
  return `error: unknown command '${name ?? ''}'\n(Did you mean ${meant.join(' or ')}?)\n`;
}

/** Returns the context with output that escapes terminal control characters, and has colours where the terminal has. */
function guarded({ environment, output }: CommandContext): CommandContext {
  const { out, err, hasColours } = output;
  const shown = (text: string): string => (hasColours ? colouredText(shownText(text)) : shownText(text));
  return { environment, output: { ...output, out: (text) => out(shown(text)), err: (text) => err(shownText(text)) } };
}

/** Returns the `recollect` command with all subcommands. */
export function createProgram(context: CommandContext, exit: (code: ExitCode) => void): Command {
  const program = new Command('recollect').description('Durable memory for coding agents');
  program.version(VERSION, '-V, --version', 'print the version');
  program.configureOutput({ outputError: (message, write) => write(withGroups(message, program)) });
  const cli = new Cli(guarded(context), exit);
  for (const [heading, commands] of Object.entries(GROUPS)) {
    program.commandsGroup(heading);
    for (const add of commands) add(program, cli);
  }
  cli.command(program, 'version', 'print the version').action(() => {
    cli.output.out(`${VERSION}\n`);
    exit(0);
  });
  showUsageAfterErrors(program);
  return program;
}
