import { mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { reasonOf } from '../outcome.ts';
import { createSender } from '../sender.ts';
import type { Target } from '../target.ts';
import { drainFile } from './drain-file.ts';
import type { DrainCounts } from './drain-file.ts';
import { takeDrainLock } from './drain-lock.ts';
import { claimedName, spoolFiles, spoolFolder } from './folder.ts';
import type { SpoolFile } from './folder.ts';

export interface DrainOptions {
  readonly dataDir: string;
  readonly target: Target;
  /** Only this session's part of the names, see `sessionName`. Default: all. */
  readonly session?: string;
  /** Also what was meant for another server. Default: only what was meant for this one. */
  readonly anyServer?: boolean;
  readonly signal?: AbortSignal;
  /** When to stop, in milliseconds since the process started. */
  readonly untilMs?: number;
}

export interface DrainReport extends Readonly<DrainCounts> {
  /** `busy`: another process drains. `stopped`: with the reason, events are left. */
  readonly end: { readonly kind: 'done' | 'busy' } | { readonly kind: 'stopped'; readonly reason: string };
}

/** Pause after a failed drain, except for explicit requests. */
const TRY_AGAIN_MS = 2_000;

/** Returns whether a drainer may be started without a request of a user. */
export function mayTryAgain(dataDir: string): boolean {
  const stat = statSync(lastTryFile(dataDir), { throwIfNoEntry: false });
  return stat === undefined || Math.abs(Date.now() - stat.mtimeMs) > TRY_AGAIN_MS;
}

/**
 * Sends the lines of the spool, each session in its order. A line is removed only after the server has responded to it. A line that is sent twice, by
 * a drainer that was killed or by two at the same time, is stored once. Returns the counts and why it ended. Never rejects.
 */
export async function drainSpool(options: DrainOptions): Promise<DrainReport> {
  const counts: DrainCounts = { delivered: 0, forgotten: 0, quarantined: 0 };
  const folder = spoolFolder(options.dataDir);
  if (pick(options, new Set()).length === 0) return { ...counts, end: { kind: 'done' } };
  const sender = createSender(options.target);
  // An event in flight at a stop request remains in the spool, and is stored once.
  options.signal?.addEventListener('abort', () => sender.close(), { once: true });
  try {
    const lock = takeDrainLock(folder);
    if (lock === null) return { ...counts, end: { kind: 'busy' } };
    try {
      const stuck = new Map<string, string>();
      for (;;) {
        const file = pick(options, stuck)[0];
        if (file === undefined) break;
        const claimed = claim(folder, file, lock.token);
        if (claimed === null) continue;
        const result = await drainFile(claimed, { ...options, folder, lock, sender, counts });
        if (result.kind === 'unavailable') return stopped(options.dataDir, counts, result.reason);
        // One session must not delay the others.
        if (result.kind === 'stuck') stuck.set(`${file.session}.${file.server}`, result.reason);
      }
      const reason = stuck.values().next().value;
      if (reason !== undefined) return stopped(options.dataDir, counts, reason);
      rmSync(lastTryFile(options.dataDir), { force: true });
      return { ...counts, end: { kind: 'done' } };
    } finally {
      lock.release();
    }
  } catch (error) {
    return stopped(options.dataDir, counts, reasonOf(error));
  } finally {
    sender.close();
  }
}

function lastTryFile(dataDir: string): string {
  return join(spoolFolder(dataDir), '.last-try');
}

function stopped(dataDir: string, counts: DrainCounts, reason: string): DrainReport {
  try {
    mkdirSync(spoolFolder(dataDir), { recursive: true, mode: 0o700 });
    writeFileSync(lastTryFile(dataDir), '', { mode: 0o600 });
  } catch {
    // The disk is full: then the next attempt is made earlier.
  }
  return { ...counts, end: { kind: 'stopped', reason } };
}

function pick(options: DrainOptions, stuck: ReadonlySet<string> | ReadonlyMap<string, string>): SpoolFile[] {
  return spoolFiles(options.dataDir).filter(
    (file) =>
      (options.anyServer === true || file.server === options.target.server) &&
      (options.session === undefined || file.session === options.session) &&
      !stuck.has(`${file.session}.${file.server}`),
  );
}

/** Claims a file, or one that another drainer abandoned, by renaming it. Null if another drainer claimed it. */
function claim(folder: string, file: SpoolFile, token: string): SpoolFile | null {
  const offsetBytes = file.claim?.offsetBytes ?? 0;
  const name = claimedName(file, offsetBytes, token);
  try {
    renameSync(join(folder, file.name), join(folder, name));
  } catch (error) {
    if (reasonOf(error) === 'ENOENT') return null;
    throw error;
  }
  return { ...file, name, claim: { offsetBytes } };
}
