import { VERSION } from '../../config/version.ts';
import type { InstanceLayout } from '../../infra/instance/layout.ts';
import { copyDatabases, goBack, noteUpgrade } from '../../infra/instance/upgrade-copy.ts';
import type { StampedProgram } from '../../infra/instance/version-stamp.ts';
import { awaitReady } from '../../infra/supervisor/await-ready.ts';
import { waitUntil } from '../../infra/supervisor/process-identity.ts';
import { silentProgress } from '../../infra/supervisor/progress.ts';
import { findSupervisor, stopInstance } from '../../infra/supervisor/stop-instance.ts';
import { takeOver } from '../../infra/supervisor/take-over.ts';
import type { ExitCode } from '../command-context.ts';
import type { Output } from '../output.ts';
import type { InstanceService } from '../service/manage-service.ts';
import { STOP_SECONDS } from '../service/service-commands.ts';
import type { RunCommand } from '../service/service-commands.ts';
import { startInBackground, startOlder } from './older-program.ts';

const SERVICE_STOP_MS = (STOP_SECONDS + 10) * 1_000;

interface Replacement {
  readonly layout: InstanceLayout;
  readonly older: StampedProgram;
  /** The instance ran before, and runs afterwards. */
  readonly keepsRunning: boolean;
  /** What ran it; null: the background. */
  readonly service: InstanceService | null;
  /** Starts this program in the background. Resolves with the exit code once it is ready or has ended. */
  readonly start: () => Promise<ExitCode>;
  readonly run: RunCommand;
  readonly output: Output;
}

/** Runs `work` while no other process can start the instance. @throws AlreadyRunningError */
async function withLock<Result>(layout: InstanceLayout, work: () => Promise<Result>): Promise<Result> {
  const lock = await takeOver(layout, silentProgress);
  try {
    return await work();
  } finally {
    lock.release();
  }
}

/** Stops the instance, whatever runs it. Prints why it does not stop and returns false. */
async function stop({ layout, service, output }: Replacement): Promise<boolean> {
  const outcome = await stopInstance(layout);
  if (outcome.kind === 'stopped' || outcome.kind === 'not-running') {
    // The manager starts again what failed. It comes second: two signals would end PostgreSQL at once.
    service?.stop();
    if (await waitUntil(() => findSupervisor(layout) === null, { timeoutMs: SERVICE_STOP_MS })) return true;
    output.err('The service does not stop. Run recollect upgrade again once it has stopped.\n');
    return false;
  }
  const why = outcome.kind === 'occupied' ? 'uses the data directory' : 'is still stopping';
  output.err(`Process ${outcome.pid} ${why}. Run recollect upgrade again once it has ended.\n`);
  return false;
}

/** Starts this program as the instance ran before, so that it has the same settings. Returns null once it is ready, else the reason. */
async function tryThisProgram(
  { layout, service, start }: Replacement,
  since: string,
  signal: AbortSignal,
): Promise<string | null> {
  if (signal.aborted) return 'interrupted';
  service?.setProgram('this');
  const isStarted = service === null ? (await start()) === 0 : service.start();
  if (isStarted) return awaitReady(layout, { version: VERSION, since, signal });
  return signal.aborted ? 'interrupted' : 'it could not be started';
}

/** Starts the older program as it ran before. Returns what happened, as lines. */
async function startAgain({ layout, older, service, keepsRunning, run }: Replacement): Promise<string> {
  service?.setProgram('former');
  if (!keepsRunning) return '';
  return startOlder(older, run, async () => {
    if (service === null) return startInBackground(older, layout.dataDir, run);
    const since = new Date().toISOString();
    return service.start() && (await awaitReady(layout, { version: older.version, since })) === null;
  });
}

/**
 * Stops the instance, copies its databases and starts this program on them, which migrates them and deletes the copy once it is ready. Else
 * the copy replaces the databases, and the older program starts again. May be killed at any point: called again, it continues with the copy.
 */
export async function replaceProgram(replacement: Replacement, signal: AbortSignal): Promise<ExitCode> {
  const { layout, older, keepsRunning, output } = replacement;
  const since = new Date().toISOString();
  if (keepsRunning) noteUpgrade(layout);
  if (!(await stop(replacement))) return 1;
  try {
    const bytes = await withLock(layout, () => copyDatabases(layout, signal));
    output.out(
      bytes === null
        ? `An upgrade of ${older.version} was interrupted; it continues.\n`
        : `Copied the databases (${(bytes / 1e6).toFixed(0)} MB).\n`,
    );
  } catch (error) {
    output.err(await startAgain(replacement));
    if (!signal.aborted) throw error;
    output.err('Interrupted; nothing was changed.\n');
    return 130;
  }
  const reason = await tryThisProgram(replacement, since, signal);
  if (reason === null) {
    if (!keepsRunning) await stop(replacement);
    return 0;
  }
  output.err(`${reason}\n`);
  if (!(await stop(replacement))) return 1;
  const isBack = await withLock(layout, () => goBack(layout));
  output.err(
    `Version ${VERSION} did not start: ${isBack ? `the data are those of ${older.version} again` : 'see recollect status and recollect logs'}.\n`,
  );
  output.err(await startAgain(replacement));
  return signal.aborted ? 130 : 1;
}
