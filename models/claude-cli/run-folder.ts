import { lstat, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Environment } from '../../config/process-environment.ts';
import { ModelError } from '../../domain/ports/model.ts';

/** Files of one run of the program. */
export interface RunFolder {
  /** Empty: the program finds no files of a project in it. */
  readonly emptyFolder: string;
  readonly systemFile: string;
}

const PREFIX = 'recollect-claude-';
/** No run takes as long. */
const OLD_MS = 3_600_000;
const REMOVAL = { recursive: true, force: true, maxRetries: 3 } as const;

/** Returns the folder of temporary files in an environment. */
export function scratchFolder({ TMPDIR }: Environment): string {
  return TMPDIR === undefined || TMPDIR === '' ? tmpdir() : TMPDIR;
}

/**
 * Calls `run` with a folder that is removed afterwards. @throws ModelError `unavailable` if the folder cannot be written, so that another provider
 * is used; what `run` throws
 */
export async function inRunFolder<Result>(
  scratch: string,
  system: string,
  run: (files: RunFolder) => Promise<Result>,
): Promise<Result> {
  const folder = await mkdtemp(path.join(scratch, PREFIX)).catch(unwritable);
  try {
    const files = { emptyFolder: path.join(folder, 'empty'), systemFile: path.join(folder, 'system.txt') };
    await writeFile(files.systemFile, system, { mode: 0o600 }).catch(unwritable);
    await mkdir(files.emptyFolder).catch(unwritable);
    return await run(files);
  } finally {
    // The response is paid for: a folder that remains is removed by the next start of a worker.
    await rm(folder, REMOVAL).catch(() => undefined);
  }
}

function unwritable(error: NodeJS.ErrnoException): never {
  throw new ModelError(
    'unavailable',
    `The folder of a run of claude-cli cannot be written (${error.code ?? 'unknown'})`,
  );
}

/** Removes folders of this user's runs that a killed worker left more than an hour ago. Never rejects: what remains is only disk space. */
export async function removeOldRuns(scratch: string, nowMs: number): Promise<void> {
  const names = await readdir(scratch).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(PREFIX))) {
    const folder = path.join(scratch, name);
    const found = await lstat(folder).catch(() => null);
    const isOwn = found !== null && found.isDirectory() && found.uid === process.getuid?.();
    if (isOwn && nowMs - found.mtimeMs > OLD_MS) await rm(folder, REMOVAL).catch(() => undefined);
  }
}
