import type { Command } from 'commander';
import { VERSION } from '../../../config/version.ts';
import { InstanceError } from '../../../infra/instance/instance-error.ts';
import { instanceLayout } from '../../../infra/instance/layout.ts';
import type { InstanceLayout } from '../../../infra/instance/layout.ts';
import { bytesToCopy, copiedProgram, isUpgradeInterrupted } from '../../../infra/instance/upgrade-copy.ts';
import { isThisProgram, newerThanThis, readVersionStamp } from '../../../infra/instance/version-stamp.ts';
import type { StampedProgram } from '../../../infra/instance/version-stamp.ts';
import { findSupervisor, isSupervisor } from '../../../infra/supervisor/stop-instance.ts';
import { AlreadyRunningError } from '../../../infra/supervisor/take-over.ts';
import type { Cli } from '../../cli.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import type { Output } from '../../output.ts';
import { confirm } from '../../confirm.ts';
import { assertDurable } from '../../install/durable-path.ts';
import { InstallError } from '../../install/install-error.ts';
import { hostsWithHooks } from '../../install/installed.ts';
import { instanceService, isRunning } from '../../service/manage-service.ts';
import type { InstanceService } from '../../service/manage-service.ts';
import { runCommandIn, serviceDefinition } from '../../service/service-commands.ts';
import type { RunCommand } from '../../service/service-commands.ts';
import { serviceManager } from '../../service/service-manager.ts';
import { backUpFirst } from '../../upgrade/backup-first.ts';
import { changesSince } from '../../upgrade/changes.ts';
import { replaceProgram } from '../../upgrade/replace-program.ts';
import { interruptible } from '../../waiting.ts';
import { startDetached } from './up-detached.ts';
import { occupiedText } from './up.ts';

interface UpgradeOptions {
  readonly dataDir: string;
  readonly yes?: true;
  readonly dryRun?: true;
  readonly backup: boolean;
}

/** The older program starts its engines, too. */
const OLDER_START_MS = 180_000;

export function addUpgrade(program: Command, cli: Cli): void {
  const description = 'move the data of an older version to this one, and go back if it does not start';
  cli
    .command(program, 'upgrade', description)
    .option('--yes', 'do not ask')
    .option('--dry-run', 'show what is new and change nothing')
    .option('--no-backup', 'create no backup first')
    .action(async (options: UpgradeOptions) => {
      try {
        cli.exit(await upgrade(options, cli));
      } catch (error) {
        const isExpected = [InstanceError, AlreadyRunningError, InstallError].some((type) => error instanceof type);
        if (!(error instanceof Error && isExpected)) throw error;
        cli.output.err(`${error.message}\n`);
        cli.exit(1);
      }
    });
}

/** Returns the program of the data, or of the copy that an interrupted upgrade left, if it is older than this one; else prints why there is nothing to do and returns the exit code. */
function olderProgram(layout: InstanceLayout, { output }: CommandContext): StampedProgram | ExitCode {
  const { dataDir, versionFile } = layout;
  const stamp = readVersionStamp(versionFile);
  if (stamp?.program === undefined) {
    output.err(`There is no instance in ${dataDir} yet. Start one with recollect up.\n`);
    return 3;
  }
  const newer = newerThanThis(stamp);
  if (newer !== null) {
    output.err(`${dataDir} was written by a newer version (${newer}). Use that version.\n`);
    return 1;
  }
  const older = copiedProgram(layout) ?? stamp.program;
  if (!isThisProgram(older)) return older;
  output.out(`Nothing to do: ${dataDir} is of version ${VERSION}.\n`);
  return 0;
}

/**
 * Returns the service that runs the instance; null if none does. After an interrupted upgrade it does not run yet.
 * @throws InstallError for a program that its file must not name
 */
function serviceOf(
  { dataDir }: InstanceLayout,
  {
    isInterrupted,
    run,
    environment,
  }: { isInterrupted: boolean; run: RunCommand; environment: CommandContext['environment'] },
): InstanceService | null {
  const manager = serviceManager(process.platform, environment, process.getuid?.() ?? 0);
  if (manager === null || !(isInterrupted || isRunning(manager, run))) return null;
  const definition = serviceDefinition(dataDir, environment, null);
  const service = instanceService(definition, { manager, run });
  if (service !== null) assertDurable(definition.node, definition.cli);
  return service;
}

/** Creates a backup and prints its id, or why there is none. Returns the exit code. */
async function backUp(layout: InstanceLayout, { out, err }: Output, signal: AbortSignal): Promise<ExitCode> {
  out('Creating a backup …\n');
  const backup = await backUpFirst(layout, signal);
  switch (backup.kind) {
    case 'created':
      out(`Backup ${backup.id} was created.\n`);
      if (!signal.aborted) return 0;
      err('Interrupted; nothing was changed.\n');
      return 130;
    case 'interrupted':
      err('Interrupted; nothing was changed. The backup continues.\n');
      return 130;
    case 'failed':
      err(`${backup.reason}No backup was created; nothing was changed. --no-backup upgrades without one.\n`);
      return 1;
    default:
      return backup satisfies never;
  }
}

/** Moves the data of an older version to this one, as `replaceProgram` does, after the questions and the backup that precede it. */
async function upgrade(options: UpgradeOptions, context: CommandContext): Promise<ExitCode> {
  const { output, environment } = context;
  const { out, err } = output;
  const layout = instanceLayout(options.dataDir);
  const older = olderProgram(layout, context);
  if (typeof older === 'number') return older;
  const changes = changesSince(older.version);
  out(`From ${older.version} to ${VERSION}${changes === '' ? '' : `:\n\n${changes}`}\n\n`);
  if (options.dryRun === true) return 0;
  if (options.yes !== true && !(await confirm('Stop the instance, copy its databases and start it?', output))) {
    err('Nothing was changed. Pass --yes to upgrade without a question.\n');
    return 1;
  }
  const supervisor = findSupervisor(layout);
  if (supervisor !== null && !isSupervisor(layout, supervisor)) {
    err(`${occupiedText(supervisor.pid)}\n`);
    return 1;
  }
  const wasRunning = supervisor !== null;
  const isCopied = copiedProgram(layout) !== null;
  const isInterrupted = isUpgradeInterrupted(layout);
  const run = runCommandIn(environment, OLDER_START_MS);
  // Whether the instance ran before an interrupted upgrade is unknown.
  const keepsRunning = wasRunning || isInterrupted;
  const service = keepsRunning ? serviceOf(layout, { isInterrupted, run, environment }) : null;
  // Checked before anything stops.
  if (!isCopied) bytesToCopy(layout);
  const start = (): Promise<ExitCode> => startDetached({ dataDir: options.dataDir }, context);
  const code = await interruptible(async (signal) => {
    const backedUp = !isCopied && wasRunning && options.backup ? await backUp(layout, output, signal) : 0;
    if (backedUp !== 0) return backedUp;
    return replaceProgram({ layout, older, keepsRunning, service, start, run, output }, signal);
  });
  if (code !== 0) return code;
  out(`Upgraded to ${VERSION}.${service === null ? '' : ' The service runs it again.'}\n`);
  if (older.version !== VERSION && hostsWithHooks(environment).length > 0)
    out(`Agents run the hook client of ${older.version}, which still works: recollect install AGENT updates it.\n`);
  return 0;
}
