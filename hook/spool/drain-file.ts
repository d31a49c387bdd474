import { closeSync, openSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Outcome } from '../outcome.ts';
import { reasonOf } from '../outcome.ts';
import type { Sender } from '../sender.ts';
import type { DrainLock } from './drain-lock.ts';
import { claimedName } from './folder.ts';
import type { SpoolFile } from './folder.ts';
import { parseLine } from './line.ts';
import type { SpoolLine } from './line.ts';
import { quarantine } from './quarantine.ts';
import { readLines } from './read-lines.ts';
import { elapsedMs } from '../clock.ts';

export interface DrainCounts {
  /** Taken by the server, now or before. */
  delivered: number;
  /** Of sessions that were deleted meanwhile: gone, as they should be. */
  forgotten: number;
  /** Set aside, because no server will ever take them. */
  quarantined: number;
}

export interface DrainContext {
  readonly dataDir: string;
  readonly folder: string;
  readonly lock: DrainLock;
  readonly sender: Sender;
  readonly counts: DrainCounts;
  readonly signal?: AbortSignal;
  readonly untilMs?: number;
}

/** `stuck`: this file cannot go on now, others may. `away`: nothing can. */
export type FileResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'stuck'; readonly reason: string }
  | { readonly kind: 'away'; readonly reason: string };

const DELIVERY_TIMEOUT_MS = 10_000;
/** A drainer that is killed sends at most so many lines again. */
const SAVE_EVERY_LINES = 100;

/** Sends a claimed file line by line and removes it when all of it is done. What is left keeps its place in the file's name. */
export async function drainFile(file: SpoolFile, context: DrainContext): Promise<FileResult> {
  const { folder, lock } = context;
  let { name } = file;
  let offsetBytes = file.claim?.offsetBytes ?? 0;
  let savedBytes = offsetBytes;
  const save = (): void => {
    if (offsetBytes === savedBytes) return;
    const next = claimedName(file, offsetBytes, lock.token);
    renameSync(join(folder, name), join(folder, next));
    name = next;
    savedBytes = offsetBytes;
  };
  const handle = openSync(join(folder, name), 'r');
  try {
    let lines = 0;
    for (const raw of readLines(handle, offsetBytes)) {
      lock.touch();
      const result = await drainLine(raw.text, file, context);
      if (result.kind !== 'done') {
        save();
        return result;
      }
      offsetBytes = raw.endBytes;
      lines += 1;
      if (lines % SAVE_EVERY_LINES === 0) save();
    }
  } finally {
    closeSync(handle);
  }
  rmSync(join(folder, name));
  return { kind: 'done' };
}

async function drainLine(text: string | null, file: SpoolFile, context: DrainContext): Promise<FileResult> {
  const remainingMs = (context.untilMs ?? Number.POSITIVE_INFINITY) - elapsedMs();
  if (context.signal?.aborted === true || remainingMs <= 0) return { kind: 'away', reason: 'told to stop' };
  let line: SpoolLine;
  try {
    if (text === null) throw new Error('too long');
    line = parseLine(text);
  } catch (error) {
    return setAside(reasonOf(error), text ?? '', file, context);
  }
  const timeoutMs = Math.min(remainingMs, DELIVERY_TIMEOUT_MS);
  const outcome = await sendLine(line, context.sender, timeoutMs);
  if (outcome.kind === 'accepted') {
    context.counts.delivered += 1;
    return { kind: 'done' };
  }
  if (outcome.kind === 'away')
    // A wrong key says nothing of the events: all of them wait until that is mended.
    return outcome.reason.startsWith('status ') && !/^status 40[13]$/.test(outcome.reason)
      ? { kind: 'stuck', reason: outcome.reason }
      : { kind: 'away', reason: outcome.reason };
  const { status } = outcome;
  const code = errorCode(outcome.body);
  if (status === 410 || code === 'SESSION_DELETED') {
    context.counts.forgotten += 1;
    return { kind: 'done' };
  }
  // Nor does a wrong address.
  if (status === 404) return { kind: 'away', reason: `status ${status}` };
  return setAside(`status ${status}${code === null ? '' : ` ${code}`}`, text ?? '', file, context);
}

/** Twice, when a kept connection was closed just as it was used again. */
async function sendLine(line: SpoolLine, sender: Sender, timeoutMs: number): Promise<Outcome> {
  const { event, host, namespace, delivery } = line;
  const body = [Buffer.from(JSON.stringify(line.body), 'utf8')];
  const request = { event, host, namespace, delivery, body, fromSpool: true };
  const first = await sender.send(request, timeoutMs);
  if (first.kind !== 'away' || (first.reason !== 'ECONNRESET' && first.reason !== 'EPIPE')) return first;
  return sender.send(request, timeoutMs);
}

function setAside(reason: string, text: string, file: SpoolFile, context: DrainContext): FileResult {
  try {
    quarantine(context.dataDir, file.session, reason, text);
  } catch (error) {
    return { kind: 'stuck', reason: `a line cannot be set aside: ${reasonOf(error)}` };
  }
  context.counts.quarantined += 1;
  return { kind: 'done' };
}

/** The code in the api's error, such as VALIDATION_FAILED; null when the answer is another's. */
function errorCode(body: string): string | null {
  return /"code"\s*:\s*"([A-Z_]{1,40})"/.exec(body.slice(0, 4_096))?.[1] ?? null;
}
