import { execFileSync } from 'node:child_process';
import { constants, existsSync, lstatSync, mkdirSync, readdirSync, renameSync, statfsSync } from 'node:fs';
import { cp, mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { syncFolder } from './atomic-file.ts';
import { InstanceError } from './instance-error.ts';
import { isSystemError } from './json-file.ts';
import type { InstanceLayout } from './layout.ts';
import { isThisProgram, noteFailedUpgrade, readVersionStamp } from './version-stamp.ts';
import type { StampedProgram } from './version-stamp.ts';

const GIBIBYTE = 1024 ** 3;
/** Left free beside the copy: PostgreSQL writes while it migrates. */
const SPARE_BYTES = 0.5 * GIBIBYTE;

/** Returns the folder of the copy. Its stamp is moved first when going back, so a folder without one means that the rest must be moved. */
export function copyFolder({ dataDir }: InstanceLayout): string {
  return path.join(dataDir, 'before-upgrade');
}

/** The name of a copy that is requested, being written or deleted. */
function incompleteFolder(layout: InstanceLayout): string {
  return `${copyFolder(layout)}.incomplete`;
}

/** Notes that an upgrade stops an instance that shall run afterwards, until it is copied or starts. */
export function noteUpgrade(layout: InstanceLayout): void {
  mkdirSync(incompleteFolder(layout), { recursive: true, mode: 0o700 });
}

/** Returns true if an upgrade was interrupted before the next start: during the stop, the copy or later. */
export function isUpgradeInterrupted(layout: InstanceLayout): boolean {
  return existsSync(incompleteFolder(layout)) || copiedProgram(layout) !== null;
}

function copiedStamp(layout: InstanceLayout): string {
  return path.join(copyFolder(layout), path.basename(layout.versionFile));
}

/** Returns the program that ran the copied databases; null without a complete copy. @throws InstanceError for a damaged stamp */
export function copiedProgram(layout: InstanceLayout): StampedProgram | null {
  return readVersionStamp(copiedStamp(layout))?.program ?? null;
}

/** What a newer program changes beside the stamp: both databases of PostgreSQL (memory, workflows) and the vectors. */
function databaseNames({ dataDir, postgres, temporal, weaviate }: InstanceLayout): string[] {
  return [postgres, temporal, weaviate].map((changed) => path.relative(dataDir, changed));
}

/** Files may come and go meanwhile. */
function bytesIn(file: string): number {
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true) return found?.size ?? 0;
  let names: string[];
  try {
    names = readdirSync(file);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return 0;
    throw error;
  }
  return names.reduce((sum, name) => sum + bytesIn(path.join(file, name)), 0);
}

/** Returns the size of the copy in bytes, approximately if the instance runs. @throws InstanceError if the disk has too little space */
export function bytesToCopy(layout: InstanceLayout): number {
  const bytes = databaseNames(layout).reduce((sum, name) => sum + bytesIn(path.join(layout.dataDir, name)), 0);
  const { bavail, bsize } = statfsSync(layout.dataDir);
  // The next copy removes an incomplete one first.
  const free = bavail * bsize + bytesIn(incompleteFolder(layout));
  if (free >= bytes + SPARE_BYTES) return bytes;
  throw new InstanceError(
    'unusable-data-dir',
    `The copy of the databases needs ${((bytes + SPARE_BYTES) / GIBIBYTE).toFixed(1)} GiB; ${(free / GIBIBYTE).toFixed(1)} GiB are free. Free some, then try again.`,
  );
}

/**
 * Copies the databases of a stopped instance, for `goBack`. Unlike a backup, the copy contains the workflows, and an older program runs it as
 * it is. Requires the lock. Returns its size in bytes; null if an interrupted upgrade left a complete one, which remains.
 * @throws InstanceError if the disk has too little space, and the reason of the signal if it aborts; both leave no copy
 */
export async function copyDatabases(layout: InstanceLayout, signal?: AbortSignal): Promise<number | null> {
  await settleCopy(layout);
  if (copiedProgram(layout) !== null) return null;
  const bytes = bytesToCopy(layout);
  const unfinished = incompleteFolder(layout);
  await mkdir(unfinished, { mode: 0o700 });
  try {
    for (const name of [path.basename(layout.versionFile), ...databaseNames(layout)]) {
      const source = path.join(layout.dataDir, name);
      if (!existsSync(source)) continue;
      await cp(source, path.join(unfinished, name), {
        recursive: true,
        dereference: true,
        preserveTimestamps: true,
        // Takes no space where the file system can share blocks.
        mode: constants.COPYFILE_FICLONE,
        filter: () => {
          signal?.throwIfAborted();
          return true;
        },
      });
    }
    // A power cut after the migration must not find half a copy.
    execFileSync('sync');
    renameSync(unfinished, copyFolder(layout));
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
  syncFolder(layout.dataDir);
  return bytes;
}

/** Deletes the copy, at once for `copiedProgram`. Requires the lock. */
export async function removeCopy(layout: InstanceLayout): Promise<void> {
  const unfinished = incompleteFolder(layout);
  await rm(unfinished, { recursive: true, force: true });
  if (!existsSync(copyFolder(layout))) return;
  renameSync(copyFolder(layout), unfinished);
  syncFolder(layout.dataDir);
  await rm(unfinished, { recursive: true, force: true });
}

/**
 * Replaces the databases of a stopped instance by their copy, and notes in its stamp that this program failed. Returns false without a copy.
 * Requires the lock. A killed process leaves the rest to the next start of either program.
 */
export async function goBack(layout: InstanceLayout): Promise<boolean> {
  if (copiedProgram(layout) === null) return false;
  noteFailedUpgrade(copiedStamp(layout));
  renameSync(copiedStamp(layout), layout.versionFile);
  // A power cut must not find deleted databases behind the newer stamp.
  for (const folder of [copyFolder(layout), layout.dataDir]) syncFolder(folder);
  await finishGoingBack(layout);
  return true;
}

async function finishGoingBack(layout: InstanceLayout): Promise<void> {
  const folder = copyFolder(layout);
  if (!existsSync(folder) || existsSync(copiedStamp(layout))) return;
  for (const name of databaseNames(layout)) {
    const copy = path.join(folder, name);
    // Moved already.
    if (!existsSync(copy)) continue;
    const current = path.join(layout.dataDir, name);
    await rm(current, { recursive: true, force: true, maxRetries: 10 });
    renameSync(copy, current);
  }
  syncFolder(layout.dataDir);
  await rm(folder, { recursive: true, force: true });
}

/**
 * Ends what a killed process left: a `goBack`, and an incomplete copy. Deletes a copy of this program, which is outdated once this program
 * runs. Requires the lock; each start calls it.
 */
export async function settleCopy(layout: InstanceLayout): Promise<void> {
  await finishGoingBack(layout);
  await rm(incompleteFolder(layout), { recursive: true, force: true });
  const copied = copiedProgram(layout);
  if (copied !== null && isThisProgram(copied)) await removeCopy(layout);
}
