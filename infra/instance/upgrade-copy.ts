import { execFileSync } from 'node:child_process';
import { constants, existsSync, lstatSync, readdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { cp, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { syncFolder } from './atomic-file.ts';
import { InstanceError } from './instance-error.ts';
import type { InstanceLayout } from './layout.ts';

const GIBIBYTE = 1024 ** 3;
/** Left free beside the copy: PostgreSQL writes while it migrates. */
const SPARE_BYTES = 0.5 * GIBIBYTE;
const MARKER = 'going-back';

/** Returns the folder of the copy, which exists during an upgrade. */
export function copyFolder({ dataDir }: InstanceLayout): string {
  return path.join(dataDir, 'before-upgrade');
}

/** What a newer program changes: both databases of PostgreSQL (memory, workflows), the vectors, and the stamp, which comes first: an interrupted `goBack` is finished by the older program, too. */
function changedPaths({ dataDir, postgres, temporal, weaviate, versionFile }: InstanceLayout): string[] {
  return [versionFile, postgres, temporal, weaviate].map((changed) => path.relative(dataDir, changed));
}

function bytesIn(file: string): number {
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true) return found?.size ?? 0;
  return readdirSync(file).reduce((sum, name) => sum + bytesIn(path.join(file, name)), 0);
}

/**
 * Copies the databases of a stopped instance, for `goBack`; replaces an older copy. Unlike a backup, it contains the workflows, and an older
 * program runs it as it is. Requires the lock. Returns its size in bytes. @throws InstanceError if the disk has too little space
 */
export async function copyDatabases(layout: InstanceLayout): Promise<number> {
  const folder = copyFolder(layout);
  const unfinished = `${folder}.new`;
  for (const old of [unfinished, folder]) rmSync(old, { recursive: true, force: true });
  const names = changedPaths(layout).filter((name) => existsSync(path.join(layout.dataDir, name)));
  const bytes = names.reduce((sum, name) => sum + bytesIn(path.join(layout.dataDir, name)), 0);
  const { bavail, bsize } = statfsSync(layout.dataDir);
  if (bavail * bsize < bytes + SPARE_BYTES)
    throw new InstanceError(
      'unusable-data-dir',
      `The copy of the databases needs ${((bytes + SPARE_BYTES) / GIBIBYTE).toFixed(1)} GiB; ${((bavail * bsize) / GIBIBYTE).toFixed(1)} GiB are free. Free some, then try again.`,
    );
  await mkdir(unfinished, { mode: 0o700 });
  try {
    for (const name of names)
      await cp(path.join(layout.dataDir, name), path.join(unfinished, name), {
        recursive: true,
        dereference: true,
        preserveTimestamps: true,
        // Takes no space where the file system can share blocks.
        mode: constants.COPYFILE_FICLONE,
      });
    // A power cut after the migration must not find half a copy.
    execFileSync('sync');
    renameSync(unfinished, folder);
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  }
  syncFolder(layout.dataDir);
  return bytes;
}

/** Deletes the copy. */
export function removeCopy(layout: InstanceLayout): void {
  rmSync(copyFolder(layout), { recursive: true, force: true });
}

/** Replaces the databases of a stopped instance by their copy. Requires the lock. A killed process leaves the rest to the next start. */
export function goBack(layout: InstanceLayout): void {
  writeFileSync(path.join(copyFolder(layout), MARKER), '');
  finishGoingBack(layout);
}

/** Ends a `goBack` that was interrupted; does nothing without one. Requires the lock. */
export function finishGoingBack(layout: InstanceLayout): void {
  const folder = copyFolder(layout);
  if (!existsSync(path.join(folder, MARKER))) return;
  for (const name of changedPaths(layout)) {
    const copy = path.join(folder, name);
    const current = path.join(layout.dataDir, name);
    // Moved already.
    if (!existsSync(copy)) continue;
    rmSync(current, { recursive: true, force: true, maxRetries: 10 });
    renameSync(copy, current);
  }
  syncFolder(layout.dataDir);
  rmSync(folder, { recursive: true, force: true });
}
