import { hostname } from 'node:os';
import { RecollectError } from '../../client/index.ts';
import type { CursorAnswer, ImportApi, ImportCounts, ImportFiles } from './import-api.ts';
import { noImportCounts, plus } from './report.ts';
import { openLocal, walkTranscripts } from './transcript-walk.ts';
import type { LocalTranscript } from './transcript-walk.ts';

/** A piece that is sent at once; it grows while the server finds nothing finished in it. */
const PIECE_BYTES = 8 * 1024 * 1024;
const MAX_PIECE_BYTES = 64 * 1024 * 1024;
/** A file that was written to less long ago waits: what hooks have on their way arrives first. */
const QUIET_MS = 60_000;
/** An unfinished end is looked at again after this, as the server does it. */
const IDLE_MS = 1_800_000;
/** A server that was set back to a backup is noticed after this. */
const SURE_MS = 3_600_000;
/** Files one after the other that a server failed on. */
const MAX_FAILED_IN_ROW = 3;
const MACHINE_CHARS = 256;

export interface StreamProgress {
  readonly files: ImportFiles;
  readonly counts: ImportCounts;
}

/** What a file was when the server had all of it: whoever follows asks again only when it is another. */
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
  /** Filled by each run for the next one. */
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

/** Until when a file that does not change need not be asked for: until its end is no longer unfinished, or for an hour. */
function againAtMs({ modifiedAtMs }: LocalTranscript, nowMs: number): number {
  const finishedAtMs = modifiedAtMs + IDLE_MS;
  return nowMs < finishedAtMs ? finishedAtMs : nowMs + SURE_MS;
}

/** Sends what the server has not read of one file; answers what it counted, or why nothing was sent. */
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
    let counts = noImportCounts();
    let offset = cursor.fingerprint === opened.fingerprint && cursor.offset <= file.size ? cursor.offset : 0;
    let length = PIECE_BYTES;
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
      counts = plus(counts, answer.counts);
      onProgress({ ...soFar(), counts: plus(soFar().counts, counts) });
      if (offset + bytes.length >= size) return counts;
      length = answer.next_offset > offset ? PIECE_BYTES : Math.min(length * 2, MAX_PIECE_BYTES);
      offset = answer.next_offset;
    }
  } finally {
    await opened.close();
  }
}

/**
 * Sends the transcripts of a folder of this machine to a server that cannot read them; resumes where the server says that it is. Rejects
 * with RecollectError (after the other files where the server failed on one), and with the file system's error when the folder cannot be read.
 */
export async function streamTranscripts(options: StreamOptions): Promise<StreamProgress> {
  const { folder, signal, onProgress, quietMs = QUIET_MS } = options;
  const { files: found, unreadable } = await walkTranscripts(folder);
  const files = { total: found.length, done: 0, unchanged: 0, waiting: 0, unreadable };
  let counts = noImportCounts();
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
    const standing = { size: file.size, modifiedAtMs: file.modifiedAtMs, againAtMs: againAtMs(file, Date.now()) };
    let outcome: ImportCounts | 'unchanged' | 'unreadable';
    try {
      outcome = await sendFile(file, options, () => ({ files: { ...files }, counts }));
      failedInRow = 0;
    } catch (error) {
      failedInRow += 1;
      // One file that the server fails on must not keep the others from it; a server that fails on everything is left alone.
      if (!(error instanceof RecollectError) || error.status < 500 || failedInRow >= MAX_FAILED_IN_ROW) throw error;
      failure ??= error;
      continue;
    }
    if (outcome !== 'unreadable') options.sent?.set(file.name, standing);
    if (outcome === 'unchanged') files.unchanged += 1;
    else if (outcome === 'unreadable') files.unreadable += 1;
    else {
      files.done += 1;
      counts = plus(counts, outcome);
    }
    onProgress({ files: { ...files }, counts });
  }
  if (failure !== null) throw failure;
  return { files, counts };
}
