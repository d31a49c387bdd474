import { spawn } from 'node:child_process';
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { BACKGROUND } from './arguments.ts';
import { newDeliveryId } from './request.ts';

/** Header of an event to redact and spool in the background; its body follows on the next line. */
export interface SpoolOrder {
  readonly dataDir: string;
  readonly server: string;
  readonly session: string;
  readonly delivery: string;
  readonly event: string;
  readonly host: string;
  readonly namespace: string;
  /** Folder whose facts are added to the event; null for none. */
  readonly factsOf: string | null;
}

/** Starts a drainer that outlives this process and its agent. Never throws. */
export function startDrainer(client: string, dataDir: string): void {
  const child = spawn(process.execPath, [client, BACKGROUND, 'drain', dataDir], {
    detached: true,
    stdio: 'ignore',
    cwd: '/',
  });
  child.once('error', () => undefined); // The next hook tries again.
  child.unref();
}

/** Capacity of a pipe without a reader. */
const PIPE_BYTES = 32 * 1024;
/** In-memory folder, if available. */
const MEMORY_FOLDER = '/dev/shm';

/**
 * Passes an event to a process that redacts and spools it without a time limit, through a pipe or memory: never through a disk before
 * redaction. Resolves with true on success.
 */
export function spoolInBackground(client: string, order: SpoolOrder, body: readonly Buffer[]): Promise<boolean> {
  const bytes = Buffer.concat([Buffer.from(`${JSON.stringify(order)}\n`, 'utf8'), ...body]);
  const handle = bytes.length > PIPE_BYTES ? inMemory(bytes) : null;
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [client, BACKGROUND, 'spool'], {
      detached: true,
      stdio: [handle ?? 'pipe', 'ignore', 'ignore'],
      cwd: '/',
    });
    child.once('error', () => resolve(false));
    child.unref();
    if (handle !== null) {
      closeSync(handle);
      resolve(child.pid !== undefined);
      return;
    }
    child.stdin?.once('error', () => resolve(false));
    child.stdin?.end(bytes, () => resolve(true));
  });
}

/** A file in memory that has no name any more, open for reading: its reader may start whenever it does. Null where there is no such folder. */
function inMemory(bytes: Buffer): number | null {
  const file = `${MEMORY_FOLDER}/recollect-${newDeliveryId()}`;
  try {
    const writing = openSync(file, 'wx', 0o600);
    try {
      const reading = openSync(file, 'r');
      if (writeSync(writing, bytes) === bytes.length) return reading;
      closeSync(reading);
      return null;
    } finally {
      unlinkSync(file);
      closeSync(writing);
    }
  } catch {
    return null; // Not Linux, or full: the pipe takes it when its reader has started.
  }
}
