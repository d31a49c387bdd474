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
import { QUARANTINE_FULL, quarantine } from './quarantine.ts';
import { readLines } from './read-lines.ts';
import { elapsedMs } from '../environment.ts';

export interface DrainCounts {
  /** Accepted by the server, now or before. */
  delivered: number;
  /** Events that were forgotten, excluded or not captured meanwhile: deleted. */
  forgotten: number;
  /** Moved to the quarantine, because no server will ever accept them. */
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

/** `stuck`: draining of this file cannot continue now, of others it can. `unavailable`: no file can continue. */
export type FileResult =
  | { readonly kind: 'done' }
  | { readonly kind: 'stuck'; readonly reason: string }
  | { readonly kind: 'unavailable'; readonly reason: string };

const DELIVERY_TIMEOUT_MS = 10_000;
/** A drainer that is killed sends at most so many lines again. */
const SAVE_EVERY_LINES = 100;

/** Sends a claimed file line by line and removes it when all lines are done. The file's name records the position reached. */
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
  if (context.signal?.aborted === true || remainingMs <= 0) return { kind: 'unavailable', reason: 'stop requested' };
  let line: SpoolLine;
  try {
    if (text === null) throw new Error('too long');
    line = parseLine(text);
  } catch (error) {
    return quarantineLine(reasonOf(error), text ?? '', file, context);
  }
  const timeoutMs = Math.min(remainingMs, DELIVERY_TIMEOUT_MS);
  const outcome = await sendLine(line, context.sender, timeoutMs);
  switch (outcome.kind) {
    case 'accepted':
      context.counts.delivered += 1;
      return { kind: 'done' };
    case 'unwanted':
      context.counts.forgotten += 1;
      return { kind: 'done' };
    case 'refused':
      return quarantineLine(outcome.reason, text ?? '', file, context);
    case 'later':
      return { kind: 'stuck', reason: outcome.reason };
    case 'unavailable':
      return outcome;
  }
}

/** Sends a line; retries once if a reused connection was just closed. */
async function sendLine(line: SpoolLine, sender: Sender, timeoutMs: number): Promise<Outcome> {
  const { event, host, namespace, delivery } = line;
  const body = [Buffer.from(JSON.stringify(line.body), 'utf8')];
  const request = { event, host, namespace, delivery, body, fromSpool: true };
  const first = await sender.send(request, timeoutMs);
  if (first.kind !== 'unavailable' || (first.reason !== 'ECONNRESET' && first.reason !== 'EPIPE')) return first;
  return sender.send(request, timeoutMs);
}

async function quarantineLine(
  reason: string,
  text: string,
  file: SpoolFile,
  context: DrainContext,
): Promise<FileResult> {
  try {
    const synced = quarantine(context.dataDir, file.session, reason, text);
    // Neither lost nor counted as quarantined: the line remains in place until the quarantine has capacity.
    if (synced === null) return { kind: 'stuck', reason: `a line cannot be quarantined: ${QUARANTINE_FULL}` };
    await synced;
  } catch (error) {
    return { kind: 'stuck', reason: `a line cannot be quarantined: ${reasonOf(error)}` };
  }
  context.counts.quarantined += 1;
  return { kind: 'done' };
}
