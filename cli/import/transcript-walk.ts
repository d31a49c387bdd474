import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, readdir } from 'node:fs/promises';
import path from 'node:path';

/** A local transcript. */
export interface LocalTranscript {
  readonly file: string;
  /** Path below the folder with slashes: its name for the server. */
  readonly name: string;
  readonly size: number;
  readonly modifiedAtMs: number;
}

/** A segment of a file, and the file's size. */
export interface Piece {
  readonly bytes: Buffer<ArrayBuffer>;
  readonly size: number;
}

const MAX_DEPTH = 6;
const MAX_FILES = 50_000;
const HEAD_BYTES = 4_096;

/** Returns the transcripts below a folder, oldest modification first. Does not follow links. @throws Error if the folder is unreadable */
export async function walkTranscripts(folder: string): Promise<{ files: LocalTranscript[]; unreadable: number }> {
  const files: LocalTranscript[] = [];
  let unreadable = 0;
  const visit = async (at: string, depth: number): Promise<void> => {
    const entries = await readdir(at, { withFileTypes: true }).catch((error: unknown) => {
      if (depth === 0) throw error;
      return null;
    });
    if (entries === null) unreadable += 1;
    for (const entry of entries ?? []) {
      const file = path.join(at, entry.name);
      if (entry.isDirectory() && depth < MAX_DEPTH) await visit(file, depth + 1);
      if (!entry.isFile() || !entry.name.endsWith('.jsonl') || files.length >= MAX_FILES) continue;
      const stats = await lstat(file).catch(() => null);
      if (stats === null) unreadable += 1;
      else
        files.push({
          file,
          name: path.relative(folder, file).split(path.sep).join('/'),
          size: stats.size,
          modifiedAtMs: Math.floor(stats.mtimeMs),
        });
    }
  };
  await visit(folder, 0);
  return { files: files.toSorted((a, b) => a.modifiedAtMs - b.modifiedAtMs || (a.name < b.name ? -1 : 1)), unreadable };
}

/** Opens a transcript; returns null if it is missing or unreadable. */
export async function openLocal(transcript: LocalTranscript): Promise<{
  readonly fingerprint: string;
  read(offset: number, bytes: number): Promise<Piece>;
  close(): Promise<void>;
} | null> {
  const handle = await open(transcript.file, constants.O_RDONLY | constants.O_NOFOLLOW).catch(() => null);
  if (handle === null) return null;
  const { size, ino } = await handle.stat();
  const read = async (offset: number, bytes: number): Promise<Buffer<ArrayBuffer>> => {
    const buffer = Buffer.alloc(Math.max(0, Math.min(bytes, size - offset)));
    let filled = 0;
    while (filled < buffer.length) {
      const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, offset + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  };
  const head = await read(0, HEAD_BYTES);
  const end = head.indexOf(0x0a);
  const first = end < 0 && head.length < HEAD_BYTES ? null : head.subarray(0, end < 0 ? HEAD_BYTES : end);
  const hash = first === null ? 'unfinished' : createHash('sha256').update(first).digest('hex').slice(0, 32);
  return {
    fingerprint: `${ino}:${hash}`,
    read: async (offset, bytes) => ({ bytes: await read(offset, bytes), size }),
    close: () => handle.close(),
  };
}
