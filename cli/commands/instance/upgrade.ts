import type { Command } from 'commander';
import { VERSION } from '../../../config/version.ts';
import { InstanceError } from '../../../infra/instance/instance-error.ts';
import { instanceLayout } from '../../../infra/instance/layout.ts';
import type { InstanceLayout } from '../../../infra/instance/layout.ts';
import { copyDatabases, goBack, removeCopy } from '../../../infra/instance/upgrade-copy.ts';
import { newerThanThis, readVersionStamp, thisProgram } from '../../../infra/instance/version-stamp.ts';
import type { StampedProgram } from '../../../infra/instance/version-stamp.ts';
import { silentProgress } from '../../../infra/supervisor/progress.ts';
import { findSupervisor, stopInstance } from '../../../infra/supervisor/stop-instance.ts';
import { AlreadyRunningError, takeOver } from '../../../infra/supervisor/take-over.ts';
import type { Cli } from '../../cli.ts';
import type { CommandContext, ExitCode } from '../../command-context.ts';
import { confirm } from '../../confirm.ts';
import { assertDurable } from '../../install/durable-path.ts';
import { InstallError } from '../../install/install-error.ts';
import { hostsWithHooks } from '../../install/installed.ts';
import { runsAsService, startService } from '../../service/manage-service.ts';
import { runCommandIn, serviceDefinition } from '../../service/service-commands.ts';
import { serviceManager } from '../../service/service-manager.ts';
import { backUpFirst } from '../../upgrade/backup-first.ts';
import { changesSince } from '../../upgrade/changes.ts';
import { startOlder } from '../../upgrade/older-program.ts';
import { startDetached } from './up-detached.ts';

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

/** Returns the program of a data directory if it is older than this one; else prints why there is nothing to do and returns the exit code. */
function olderProgram({ dataDir, versionFile }: InstanceLayout, { output }: CommandContext): StampedProgram | ExitCode {
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
  const { version, schema } = thisProgram();
  if (stamp.program.version === version && stamp.program.schema === schema) {
    output.out(`Nothing to do: ${dataDir} is of version ${version}.\n`);
    return 0;
  }
  return stamp.program;
}

/** Runs `work` while no other process can start the instance. @throws AlreadyRunningError */
async function withLock<Result>(layout: InstanceLayout, work: () => Result | Promise<Result>): Promise<Result> {
  const lock = await takeOver(layout, silentProgress);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/** Returns what starts the service that runs the instance; null if none does. @throws InstallError for a program that its file must not name */
function runningService(
  { dataDir }: InstanceLayout,
  { environment, output }: CommandContext,
): { start(): void } | null {
  const manager = serviceManager(process.platform, environment, process.getuid?.() ?? 0);
  const run = runCommandIn(environment);
  if (manager === null || !runsAsService(dataDir, { manager, run })) return null;
  const definition = serviceDefinition(dataDir, environment, null);
  assertDurable(definition.node, definition.cli);
  return { start: () => startService(definition, { manager, run, output }) };
}

/**
 * Creates a backup of a running instance, copies the databases once it is stopped, and starts this program on them, which migrates them. If it
 * does not become ready, the copy replaces them, and the older program starts again if it is still installed. Afterwards an instance that did not
 * run is stopped, and one that a service ran is run by it.
 */
async function upgrade(options: UpgradeOptions, context: CommandContext): Promise<ExitCode> {
  const { out, err } = context.output;
  const layout = instanceLayout(options.dataDir);
  const older = olderProgram(layout, context);
  if (typeof older === 'number') return older;
  const changes = changesSince(older.version);
  out(`From ${older.version} to ${VERSION}${changes === '' ? '' : `:\n\n${changes}`}\n\n`);
  if (options.dryRun === true) return 0;
  if (options.yes !== true && !(await confirm('Stop the instance, copy its databases and start it?', context.output))) {
    err('Nothing was changed. Pass --yes to upgrade without a question.\n');
    return 1;
  }
  const run = runCommandIn(context.environment, OLDER_START_MS);
  const wasRunning = findSupervisor(layout) !== null;
  if (wasRunning && options.backup) {
    const backup = await backUpFirst(layout.dataDir, layout.credentialsFile);
    if (backup.kind === 'failed') {
      err(`${backup.reason}No backup was created; nothing was changed. --no-backup upgrades without one.\n`);
      return 1;
    }
    out(`Backup ${backup.id} was created.\n`);
  }
  const service = runningService(layout, context);
  const stopped = await stopInstance(layout);
  if (stopped.kind === 'still-stopping') {
    err(`Process ${stopped.pid} is still stopping; nothing was changed. Try again.\n`);
    return 1;
  }
  try {
    const bytes = await withLock(layout, () => copyDatabases(layout));
    out(`Copied the databases (${(bytes / 1e6).toFixed(0)} MB).\n`);
  } catch (error) {
    if (wasRunning) err(startOlder(older, layout.dataDir, run));
    throw error;
  }
  const code = await startDetached({ dataDir: options.dataDir, apiLast: true }, context);
  if (code === 0) {
    if (!wasRunning || service !== null) await stopInstance(layout);
    service?.start();
    // Erasures and retention do not reach it.
    removeCopy(layout);
    out(`Upgraded to ${VERSION}.\n`);
    if (older.version !== VERSION && hostsWithHooks(context.environment).length > 0)
      out(`Agents run the hook client of ${older.version}, which still works: recollect install AGENT updates it.\n`);
    return 0;
  }
  await stopInstance(layout);
  await withLock(layout, () => goBack(layout));
  err(`Version ${VERSION} did not start: the data are those of ${older.version} again.\n`);
  if (wasRunning) err(startOlder(older, layout.dataDir, run));
  return 1;
}
