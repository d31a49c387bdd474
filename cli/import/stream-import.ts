import { hostname } from 'node:os';
import { RecollectError } from '../../client/index.ts';
import type { CursorAnswer, ImportApi, ImportCounts, ImportFiles } from './import-api.ts';
import { addCounts, noCounts } from '../../domain/transcripts/counts.ts';
import { openLocal, walkTranscripts } from './transcript-walk.ts';
import type { LocalTranscript } from './transcript-walk.ts';

/** Size of a segment; multiplied by two while the server finds no complete line in it. */
const SEGMENT_BYTES = 8 * 1024 * 1024;
const MAX_SEGMENT_BYTES = 64 * 1024 * 1024;
/** Recently written files wait, so that pending hooks arrive first. */
const QUIET_MS = 60_000;
/** An incomplete end is sent again after this, as on the server. */
const IDLE_MS = 1_800_000;
/** Unchanged files are checked again after this, in case the server was restored from a backup. */
const RECHECK_MS = 3_600_000;
/** Consecutive files on which the server may fail. */
const MAX_FAILED_IN_ROW = 3;
const MACHINE_CHARS = 256;

export interface StreamProgress {
  readonly files: ImportFiles;
  readonly counts: ImportCounts;
}

/** Files that the server has completely; followers skip them until they change. */
export type SentFiles = Map<
  string,
  { readonly size: number; readonly modifiedAtMs: number; readonly againAtMs: number }
>;

export interface StreamOptions {
  readonly api: ImportApi;
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onProgress: (progress: StreamProgress) => void;
  readonly quietMs?: number;
  /** Each run updates it for the next one. */
  readonly sent?: SentFiles;
}

function isUnchanged(file: LocalTranscript, fingerprint: string, cursor: CursorAnswer): boolean {
  if (cursor.fingerprint !== fingerprint || cursor.size !== file.size) return false;
  if (cursor.modified_at === null || Date.parse(cursor.modified_at) !== file.modifiedAtMs) return false;
  if (!cursor.open || cursor.looked_at === null) return true;
  const finishedAtMs = file.modifiedAtMs + IDLE_MS;
  return Date.now() < finishedAtMs || Date.parse(cursor.looked_at) >= finishedAtMs;
}

function isSent(file: LocalTranscript, sent: SentFiles | undefined): boolean {
  const before = sent?.get(file.name);
  if (before === undefined || before.size !== file.size || before.modifiedAtMs !== file.modifiedAtMs) return false;
  return Date.now() < before.againAtMs;
}

/** Returns the time of the next check of an unchanged file: once its end counts as complete, else in an hour. */
function againAtMs({ modifiedAtMs }: LocalTranscript, nowMs: number): number {
  const finishedAtMs = modifiedAtMs + IDLE_MS;
  return nowMs < finishedAtMs ? finishedAtMs : nowMs + RECHECK_MS;
}

/** Sends the unread part of one file; returns the counts, or the reason why nothing was sent. */
async function sendFile(
  file: LocalTranscript,
  { api, signal, onProgress }: StreamOptions,
  soFar: () => StreamProgress,
): Promise<ImportCounts | 'unchanged' | 'unreadable'> {
  const opened = await openLocal(file);
  if (opened === null) return 'unreadable';
  try {
    const name = { machine: hostname().slice(0, MACHINE_CHARS) || 'unnamed', path: file.name };
    const cursor = await api.cursor(name);
    if (isUnchanged(file, opened.fingerprint, cursor)) return 'unchanged';
    let counts: ImportCounts = noCounts();
    let offset = cursor.fingerprint === opened.fingerprint && cursor.offset <= file.size ? cursor.offset : 0;
    let length = SEGMENT_BYTES;
    for (;;) {
      signal.throwIfAborted();
      const { bytes, size } = await opened.read(offset, length);
      const answer = await api.send(
        {
          ...name,
          fingerprint: opened.fingerprint,
          offset,
          size,
          modified_at: new Date(file.modifiedAtMs).toISOString(),
          quiet_ms: Math.max(0, Date.now() - file.modifiedAtMs),
        },
        bytes,
      );
      counts = addCounts(counts, answer.counts);
      onProgress({ ...soFar(), counts: addCounts(soFar().counts, counts) });
      // Shorter: the file was truncated meanwhile, and the next run sends it again.
      if (bytes.length < length || offset + bytes.length >= size) return counts;
      length = answer.next_offset > offset ? SEGMENT_BYTES : Math.min(length * 2, MAX_SEGMENT_BYTES);
      offset = answer.next_offset;
    }
  } finally {
    await opened.close();
  }
}

/**
 * Sends the transcripts of a local folder; resumes at the server's cursor. Rejects with RecollectError (after the remaining files if the
 * server failed on one), and with the file system's error if the folder is unreadable.
 */
export async function streamTranscripts(options: StreamOptions): Promise<StreamProgress> {
  const { folder, signal, onProgress, quietMs = QUIET_MS } = options;
  const { files: found, unreadable } = await walkTranscripts(folder);
  const files = { total: found.length, done: 0, unchanged: 0, waiting: 0, unreadable };
  let counts: ImportCounts = noCounts();
  let failure: RecollectError | null = null;
  let failedInRow = 0;
  for (const file of found) {
    signal.throwIfAborted();
    if (Date.now() - file.modifiedAtMs < quietMs) {
      files.waiting += 1;
      continue;
    }
    if (isSent(file, options.sent)) {
      files.unchanged += 1;
      continue;
    }
    const sentState = { size: file.size, modifiedAtMs: file.modifiedAtMs, againAtMs: againAtMs(file, Date.now()) };
    let outcome: ImportCounts | 'unchanged' | 'unreadable';
    try {
      outcome = await sendFile(file, options, () => ({ files: { ...files }, counts }));
      failedInRow = 0;
    } catch (error) {
      failedInRow += 1;
      // A failure on one file must not stop the others; repeated failures end the run.
      if (!(error instanceof RecollectError) || error.status < 500 || failedInRow >= MAX_FAILED_IN_ROW) throw error;
      failure ??= error;
      continue;
    }
    if (outcome !== 'unreadable') options.sent?.set(file.name, sentState);
    if (outcome === 'unchanged') files.unchanged += 1;
    else if (outcome === 'unreadable') files.unreadable += 1;
    else {
      files.done += 1;
      counts = addCounts(counts, outcome);
    }
    onProgress({ files: { ...files }, counts });
  }
  if (failure !== null) throw failure;
  return { files, counts };
}
