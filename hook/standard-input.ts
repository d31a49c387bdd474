import { fstatSync, read, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { markPoolBusy, canLeaveBusyPool } from './leave.ts';

/** Quiet time after which a complete JSON text is accepted from a pipe that the host leaves open. */
const QUIET_MS = 30;
const CHUNK_BYTES = 256 * 1024;
const CLOSING_BRACE = 0x7d;

export type Input =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'none' }
  | { readonly kind: 'too-large' };

/**
 * Reads what the host writes, at most `maxBytes`. After `waitMs` it returns the input so far if that is complete JSON. A pipe is read
 * in the pool's threads: a read that hung would delay the time limit, and creating a stream takes longer than all the rest of
 * the client.
 */
export function readInput(maxBytes: number, waitMs = Infinity): Promise<Input> {
  let size: number;
  try {
    const stat = fstatSync(0);
    // A terminal or a device: it delivers no event.
    if (stat.isCharacterDevice()) return Promise.resolve({ kind: 'none' });
    if (!stat.isFile()) return readPipe(maxBytes, waitMs);
    size = stat.size;
  } catch {
    return Promise.resolve({ kind: 'none' }); // Closed.
  }
  return Promise.resolve(size > maxBytes ? { kind: 'too-large' } : { kind: 'bytes', bytes: readFileSync(0) });
}

/** Receives a chunk; null at the end. Returns whether to continue reading. */
type Take = (piece: Buffer | null) => boolean;

function readPipe(maxBytes: number, waitMs: number): Promise<Input> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let quiet: NodeJS.Timeout | undefined;
    const all = (): Buffer => (chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    const finishComplete = (): void => {
      const bytes = all();
      if (isComplete(bytes)) resolve({ kind: 'bytes', bytes });
    };
    // After chunks that have already arrived: a process that waited for a processor runs its due timers first.
    if (waitMs !== Infinity) setTimeout(() => setImmediate(finishComplete), waitMs);
    const take: Take = (piece) => {
      clearTimeout(quiet);
      bytes += piece?.length ?? 0;
      if (bytes > maxBytes) resolve({ kind: 'too-large' });
      else if (piece === null) resolve(bytes === 0 ? { kind: 'none' } : { kind: 'bytes', bytes: all() });
      if (piece === null || bytes > maxBytes) return false;
      chunks.push(piece);
      quiet = setTimeout(finishComplete, QUIET_MS);
      return true;
    };
    if (canLeaveBusyPool()) readByThread(take);
    else readBySocket(take);
  });
}

function readByThread(take: Take): void {
  const next = (): void => {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    read(0, chunk, 0, CHUNK_BYTES, null, (error, count) => {
      if (error?.code === 'EAGAIN') setTimeout(next, 5); // The host made its pipe a non-blocking one.
      else if (take(error === null && count > 0 ? chunk.subarray(0, count) : null)) next();
      else markPoolBusy(false);
    });
  };
  markPoolBusy(true);
  next();
}

/** Slower to start, but cancellable. */
function readBySocket(take: Take): void {
  const socket = new Socket({ fd: 0, readable: true, writable: false });
  socket.on('data', (piece: Buffer) => {
    if (!take(piece)) socket.destroy();
  });
  socket.once('end', () => take(null));
  socket.once('error', () => take(null));
}

/** A JSON object can only be parsed when all of it is there. */
function isComplete(bytes: Buffer): boolean {
  let last = bytes.length - 1;
  while (last >= 0 && (bytes[last] ?? 0) <= 0x20) last -= 1;
  if (bytes[last] !== CLOSING_BRACE) return false;
  try {
    JSON.parse(bytes.toString('utf8'));
    return true;
  } catch {
    return false; // Half of it ends with a brace too.
  }
}
