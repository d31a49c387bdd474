import { createHash } from 'node:crypto';
import { constants, open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';

/** A transcript that is open for reading. */
export interface OpenTranscript {
  readonly size: number;
  readonly modifiedAtMs: number;
  /** Identity of the file: its inode and its first line. A replaced file has another one. */
  readonly fingerprint: string;
  /** Session and sub-agent that the file is named after. */
  readonly session: string;
  readonly agentId: string | null;
  /** Up to `bytes` from there; shorter at the end of the file as it was when it was opened. */
  read(offset: number, bytes: number): Promise<Buffer>;
  close(): Promise<void>;
}

const HEAD_BYTES = 4_096;
const SESSION_FIELD = /"sessionId"\s*:\s*"([^"\\]{1,256})"/;
const AGENT_FILE = /^agent-(.{1,128})$/;

async function readAt(handle: FileHandle, offset: number, bytes: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(Math.max(0, bytes));
  let filled = 0;
  while (filled < buffer.length) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.length - filled, offset + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** The session of a file: its name, or for a subagent its first line or folder. */
export function namedAfter(file: string, head: string): { readonly session: string; readonly agentId: string | null } {
  const stem = path.basename(file, '.jsonl');
  const agentId = AGENT_FILE.exec(stem)?.[1] ?? null;
  if (agentId === null) return { session: stem.slice(0, 256), agentId };
  const folder = path.dirname(file);
  const parent = path.basename(folder) === 'subagents' ? path.basename(path.dirname(folder)) : null;
  return { session: SESSION_FIELD.exec(head)?.[1] ?? parent ?? stem, agentId };
}

/** Identifies a file besides its name: a hash of its first line, as far as written. */
export function headHash(head: Buffer): string {
  const end = head.indexOf(0x0a);
  if (end < 0 && head.length < HEAD_BYTES) return 'unfinished';
  return createHash('sha256')
    .update(head.subarray(0, end < 0 ? HEAD_BYTES : end))
    .digest('hex')
    .slice(0, 32);
}

/** Opens a transcript; null if it does not exist, is no plain file or is not readable. Does not follow links. */
export async function openTranscript(file: string): Promise<OpenTranscript | null> {
  let handle: FileHandle;
  try {
    handle = await open(file, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    // Deleted meanwhile, or not readable: it is counted, and the others are read.
    if (
      error instanceof Error &&
      'code' in error &&
      /^(?:ENOENT|ENOTDIR|EACCES|EPERM|ELOOP|ENXIO|EISDIR)$/.test(String(error.code))
    )
      return null;
    throw error;
  }
  try {
    const stats = await handle.stat();
    if (!stats.isFile()) {
      await handle.close();
      return null;
    }
    const head = await readAt(handle, 0, Math.min(HEAD_BYTES, stats.size));
    return {
      size: stats.size,
      modifiedAtMs: Math.floor(stats.mtimeMs),
      fingerprint: `${stats.ino}:${headHash(head)}`,
      ...namedAfter(file, head.toString('utf8')),
      read: (offset, bytes) => readAt(handle, offset, Math.min(bytes, stats.size - offset)),
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
