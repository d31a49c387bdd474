import { charsIn } from '../capture/well-formed.ts';
import type { CaptureSource, EventOwner, HostEvent } from '../capture/event.ts';
import type { Exclusion } from '../capture/exclusions.ts';
import { addCounts, noCounts } from './counts.ts';
import type { TranscriptCounts } from './counts.ts';
import type { TranscriptItem } from './items.ts';
import { LINE_BYTES, completeLength, completeLines, readLine } from './line.ts';
import type { ReadLine } from './line.ts';
import { planItems, prepareItem } from './plan.ts';
import type { Decision, PreparedItem } from './plan.ts';
import { TranscriptReader } from './reader.ts';
import { settleSession } from './progress.ts';
import type { Captured, Pin, StoredSession, TranscriptStore } from './store.ts';

/** A piece of a transcript file. */
export interface Segment {
  /** Session and sub-agent in the file's name. */
  readonly session: string;
  readonly agentId: string | null;
  readonly bytes: Uint8Array;
  /** Start of the piece in the file, at a line. */
  readonly offset: number;
  readonly countedOffset: number;
  /** Nothing follows in the file. */
  readonly atEnd: boolean;
  /** Time since the last write. */
  readonly quietMs: number;
  /** No longer piece is available: continue after it, with work unfinished. */
  readonly force: boolean;
}

export interface SegmentOptions {
  readonly owner: EventOwner;
  readonly source: CaptureSource;
  readonly idleMs: number;
  /** Skip sessions that the store does not know. */
  readonly onlyKnown: boolean;
  /** Excluded folders; null if there are none, or if capture applies them itself. */
  readonly excludes: Exclusion | null;
  readonly signal: AbortSignal;
  /** Runs parsing of long lines and preparing of items elsewhere; default: here, without pauses. */
  readonly work?: SegmentWork;
}

/** Long-running work on a piece that another thread does; null for work to do here. */
export interface SegmentWork {
  readonly readLine: (bytes: Uint8Array) => Promise<ReadLine> | null;
  readonly prepareItem: (...item: Parameters<typeof prepareItem>) => Promise<PreparedItem | null> | null;
  /** Yields to other work; null if it is not time to. */
  readonly breathe: () => Promise<void> | null;
}

export interface SegmentResult {
  /** Start of the next piece. Equal to this one's if nothing in it is finished: a longer piece is needed then. */
  readonly nextOffset: number;
  readonly countedOffset: number;
  /** Something at the end is unfinished. */
  readonly open: boolean;
  readonly counts: TranscriptCounts;
  /** The stored session of the file's name. */
  readonly sessionId: string | null;
  readonly seenSeq: number;
}

const HERE: SegmentWork = { readLine: () => null, prepareItem: () => null, breathe: () => null };

/** Events of one transaction. */
const BATCH_EVENTS = 200;
const BATCH_CHARS = 4 * 1024 * 1024;

/** Captures the decided events in order and in bounded batches; returns the outcome of each decision. */
async function carryOut(
  decisions: readonly Decision[],
  store: TranscriptStore,
  signal: AbortSignal,
): Promise<(Captured | null)[]> {
  const results: (Captured | null)[] = decisions.map(() => null);
  let batch: { readonly index: number; readonly event: HostEvent }[] = [];
  let chars = 0;
  const flush = async () => {
    if (batch.length === 0) return;
    signal.throwIfAborted();
    const outcomes = await store.capture(batch.map(({ event }) => event));
    batch.forEach(({ index }, place) => (results[index] = outcomes[place] ?? null));
    batch = [];
    chars = 0;
  };
  for (const [index, decision] of decisions.entries()) {
    if (decision.kind !== 'capture') continue;
    batch.push({ index, event: decision.event });
    chars += charsIn(decision.event.parts);
    if (batch.length >= BATCH_EVENTS || chars >= BATCH_CHARS) await flush();
  }
  await flush();
  return results;
}

/** Rejects forgotten texts in any rendering: the store compares its input only, and a transcript may add the host's blocks to a hook's text. */
async function withoutForgotten(
  externalId: string,
  decisions: readonly Decision[],
  store: TranscriptStore,
): Promise<Decision[]> {
  const wanted = decisions.flatMap((decision) => (decision.kind === 'capture' ? decision.prepared.hashes : []));
  if (wanted.length === 0) return [...decisions];
  const forgotten = await store.forgottenWords(externalId, [...new Set(wanted)]);
  return decisions.map((decision) =>
    decision.kind === 'capture' && decision.prepared.hashes.some((hash) => forgotten.has(hash))
      ? { kind: 'forgotten', prepared: decision.prepared }
      : decision,
  );
}

interface SessionOutcome {
  readonly counts: TranscriptCounts;
  readonly sessionId: string | null;
}

/** Reconciles the items of one session. */
async function reconcileSession(
  externalId: string,
  items: readonly TranscriptItem[],
  countedOffset: number,
  store: TranscriptStore,
  options: SegmentOptions,
): Promise<SessionOutcome> {
  const counts = noCounts();
  const stored = await store.readSession(externalId);
  if (stored === null && options.onlyKnown) return { counts, sessionId: null };
  const uuids = [...new Set(items.flatMap(({ uuid, turn }) => (turn === null ? [uuid] : [uuid, turn])))];
  const known = uuids.length === 0 ? new Map<string, string>() : await store.knownPrompts(uuids);
  const isElsewhere = (uuid: string | null) => {
    const holder = uuid === null ? undefined : known.get(uuid);
    return holder !== undefined && holder !== stored?.sessionId;
  };
  const work = options.work ?? HERE;
  const prepared: PreparedItem[] = [];
  for (const item of items) {
    if (isElsewhere(item.turn) || isElsewhere(item.uuid)) {
      if (item.offset >= countedOffset) counts.repeated += 1;
      continue;
    }
    if (item.payload.cwd !== undefined && options.excludes?.(item.payload.cwd) === true) {
      if (item.offset >= countedOffset) counts.refused += 1;
      continue;
    }
    const elsewhere = work.prepareItem(item, options.owner, options.source);
    const ready = elsewhere === null ? prepareItem(item, options.owner, options.source) : await elsewhere;
    if (ready !== null) prepared.push(ready);
    const pause = work.breathe();
    if (pause !== null) await pause;
  }
  const keys = prepared.map(({ item }) => item.key);
  const knownKeys = new Set(stored === null ? [] : await store.knownKeys(stored.sessionId, keys));
  // A line that matches a hook's row has no key of its own in the store.
  for (const { item, hashes } of prepared) if (hashes.length > 0 && known.has(item.uuid)) knownKeys.add(item.key);
  const decisions = await withoutForgotten(externalId, planItems(prepared, stored, knownKeys), store);
  const results = await carryOut(decisions, store, options.signal);
  const sessionId = stored?.sessionId ?? results.find((result) => result?.sessionId !== undefined)?.sessionId ?? null;

  const pins: Pin[] = [];
  for (const [index, decision] of decisions.entries()) {
    const result = results[index] ?? null;
    const { item, hashes } = decision.prepared;
    const isNew = item.offset >= countedOffset;
    const isRefused = decision.kind === 'forgotten' || result?.status === 'rejected' || result?.status === 'refused';
    if (result?.status === 'accepted') counts.added += 1;
    else if (isRefused) counts.refused += isNew ? 1 : 0;
    else counts.present += isNew ? 1 : 0;
    const rowId = decision.kind === 'present' ? decision.rowId : (result?.rowId ?? null);
    // A rejected line is recorded by its uuid, so that its copies are rejected too.
    if (hashes.length > 0 && sessionId !== null && !known.has(item.uuid))
      pins.push({ uuid: item.uuid, sessionId, rowId, hashes: isRefused ? [] : hashes, at: item.at });
  }
  if (pins.length > 0) await store.pin(pins);
  const firstAt = prepared[0]?.item.at ?? null;
  if (stored === null && sessionId !== null && firstAt !== null) await store.beganBy(sessionId, firstAt);
  return { counts, sessionId };
}

/**
 * Reads one piece of a transcript and stores the events that hooks missed. Safe to repeat and to run concurrently: every event's key is
 * derived from the transcript. Nothing before the returned offset needs to be read again.
 */
export async function reconcileSegment(
  segment: Segment,
  store: TranscriptStore,
  options: SegmentOptions,
): Promise<SegmentResult> {
  const { bytes, offset, countedOffset, atEnd, quietMs } = segment;
  const { idleMs, signal } = options;
  const reader = new TranscriptReader({
    session: segment.session,
    agentId: segment.agentId,
    atStart: offset === 0,
    countedOffset,
  });
  const work = options.work ?? HERE;
  for (const line of completeLines(bytes, offset)) {
    const elsewhere = work.readLine(line.bytes);
    reader.feed(line, elsewhere === null ? null : await elsewhere);
    const pause = work.breathe();
    if (pause !== null) await pause;
  }
  const completeBytes = completeLength(bytes);
  let end = offset + completeBytes;
  const rest = bytes.subarray(completeBytes);
  if (atEnd && rest.length > 0) {
    // A last line without its line feed: complete, truncated by a crash, or still being written.
    const read = rest.length > LINE_BYTES ? null : ((await work.readLine(rest)) ?? readLine(rest));
    const isComplete = read?.kind === 'line';
    if (isComplete || quietMs >= idleMs) reader.feed({ bytes: rest, offset: end, end: end + rest.length }, read);
    if (isComplete) end += rest.length;
  } else if (rest.length > LINE_BYTES) {
    // Too long to buffer: its remainder is not JSON.
    reader.feed({ bytes: rest, offset: end, end: end + rest.length });
    end += rest.length;
  }
  if (atEnd) reader.finish({ quietMs, idleMs });

  const bySession = Map.groupBy(reader.items, (item) => item.session);
  let counts = noCounts();
  for (const [externalId, items] of bySession) {
    signal.throwIfAborted();
    counts = addCounts(counts, (await reconcileSession(externalId, items, countedOffset, store, options)).counts);
  }
  const unfinished = reader.unfinishedSince();
  const over = atEnd && unfinished === null && quietMs >= idleMs && segment.agentId === null;
  let own: StoredSession | null = null;
  if (atEnd) {
    const settled = await settleSession(segment.session, over, reader.items.at(-1)?.payload.cwd, store, options.source);
    counts.late_duplicates += settled.late_duplicates;
    own = settled.stored;
  }
  const safe = segment.force ? end : (unfinished ?? end);
  const unread = atEnd && quietMs >= idleMs ? offset + bytes.length : end;
  return {
    nextOffset: safe,
    countedOffset: Math.max(countedOffset, unread),
    open: unfinished !== null || (atEnd && quietMs < idleMs),
    counts: addCounts(reader.counts, counts),
    sessionId: own?.sessionId ?? null,
    seenSeq: own?.lastSeq ?? 0,
  };
}
