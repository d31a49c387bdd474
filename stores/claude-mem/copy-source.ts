import { constants } from 'node:fs';
import { copyFile, mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** State of a file before and after copying: a difference means that another process wrote to it. */
interface FileState {
  readonly size: number;
  readonly modifiedAtMs: number;
}

/** Why a file is not read. */
export class ClaudeMemSourceError extends Error {
  override readonly name = 'ClaudeMemSourceError';
  readonly code: 'MISSING' | 'NO_DATABASE' | 'BUSY';

  constructor(code: ClaudeMemSourceError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.code = code;
  }
}

const HEADER = 'SQLite format 3\u0000';
/** Files beside a database with part of its contents. The shared memory file is rebuilt from them. */
const BESIDE = ['-wal', '-journal'] as const;
const TRIES = 20;

async function fileState(file: string): Promise<FileState | null> {
  const found = await stat(file).catch(() => null);
  return found === null ? null : { size: found.size, modifiedAtMs: found.mtimeMs };
}

async function isDatabase(file: string): Promise<boolean> {
  const handle = await open(file, 'r');
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(HEADER.length), 0, HEADER.length, 0);
    return bytesRead === HEADER.length && buffer.toString('latin1') === HEADER;
  } finally {
    await handle.close();
  }
}

async function standings(file: string): Promise<string> {
  return JSON.stringify(await Promise.all(['', ...BESIDE].map((end) => fileState(`${file}${end}`))));
}

/**
 * Copies a database with its -wal into a separate folder and returns the copy. Reading in place would write to it: even a reader of a -wal
 * leaves marks in the -shm, and creates both if they are missing. Repeats the copy if another process wrote meanwhile, so that it is
 * consistent.
 * @throws ClaudeMemSourceError
 */
export async function copySource(
  file: string,
): Promise<{ readonly copy: string; readonly remove: () => Promise<void> }> {
  if ((await fileState(file)) === null) throw new ClaudeMemSourceError('MISSING', 'no such file');
  const known = await isDatabase(file).catch((error: unknown) => {
    throw new ClaudeMemSourceError('NO_DATABASE', 'the file cannot be read', error);
  });
  if (!known) throw new ClaudeMemSourceError('NO_DATABASE', 'the file is no SQLite database');
  const folder = await mkdtemp(path.join(tmpdir(), 'recollect-claude-mem-'));
  const remove = () => rm(folder, { recursive: true, force: true });
  const copy = path.join(folder, 'claude-mem.db');
  try {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const before = await standings(file);
      await copyFile(file, copy, constants.COPYFILE_FICLONE);
      for (const end of BESIDE) {
        await rm(`${copy}${end}`, { force: true });
        if ((await fileState(`${file}${end}`)) !== null)
          await copyFile(`${file}${end}`, `${copy}${end}`, constants.COPYFILE_FICLONE).catch(() => undefined);
      }
      if ((await standings(file)) === before) return { copy, remove };
    }
    throw new ClaudeMemSourceError('BUSY', 'the file is written to all the time; stop claude-mem and try again');
  } catch (error) {
    await remove();
    throw error;
  }
}
