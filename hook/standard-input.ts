import { fstatSync, read, readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { markPoolBusy, canLeaveBusyPool } from './leave.ts';

/** A host that leaves the pipe open is not waited for once what it wrote is a whole JSON text. */
const QUIET_MS = 30;
const CHUNK_BYTES = 256 * 1024;
const CLOSING_BRACE = 0x7d;

export type Input =
  | { readonly kind: 'bytes'; readonly bytes: Buffer }
  | { readonly kind: 'none' }
  | { readonly kind: 'too-large' };

/**
 * Reads what the host writes, at most `maxBytes`. After `waitMs` it takes what is there, if that is a whole JSON text. A pipe is read
 * in the pool's threads: a read that hung would hold back the time limit, and a stream takes longer to be made than all the rest of
 * the client.
 */
export function readInput(maxBytes: number, waitMs = Infinity): Promise<Input> {
  let size: number;
  try {
    const stat = fstatSync(0);
    // A terminal or a device: nobody hands over an event there.
    if (stat.isCharacterDevice()) return Promise.resolve({ kind: 'none' });
    if (!stat.isFile()) return readPipe(maxBytes, waitMs);
    size = stat.size;
  } catch {
    return Promise.resolve({ kind: 'none' }); // Closed.
  }
  return Promise.resolve(size > maxBytes ? { kind: 'too-large' } : { kind: 'bytes', bytes: readFileSync(0) });
}

/** Takes a piece; null says that there is no more. Answers whether more is wanted. */
type Take = (piece: Buffer | null) => boolean;

function readPipe(maxBytes: number, waitMs: number): Promise<Input> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    let quiet: NodeJS.Timeout | undefined;
    const all = (): Buffer => (chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    const finishWhole = (): void => {
      const whole = all();
      if (isWhole(whole)) resolve({ kind: 'bytes', bytes: whole });
    };
    // After what has arrived meanwhile was taken in: a process that waits for a processor finds its timers due first.
    if (waitMs !== Infinity) setTimeout(() => setImmediate(finishWhole), waitMs);
    const take: Take = (piece) => {
      clearTimeout(quiet);
      bytes += piece?.length ?? 0;
      if (bytes > maxBytes) resolve({ kind: 'too-large' });
      else if (piece === null) resolve(bytes === 0 ? { kind: 'none' } : { kind: 'bytes', bytes: all() });
      if (piece === null || bytes > maxBytes) return false;
      chunks.push(piece);
      quiet = setTimeout(finishWhole, QUIET_MS);
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

/** Takes longer to begin, and can be given up. */
function readBySocket(take: Take): void {
  const socket = new Socket({ fd: 0, readable: true, writable: false });
  socket.on('data', (piece: Buffer) => {
    if (!take(piece)) socket.destroy();
  });
  socket.once('end', () => take(null));
  socket.once('error', () => take(null));
}

/** A JSON object can only be parsed when all of it is there. */
function isWhole(bytes: Buffer): boolean {
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
