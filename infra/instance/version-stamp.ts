import path from 'node:path';
import { z } from 'zod';
import { compareVersions, VERSION } from '../../config/version.ts';
import { knownMigrations } from '../../prisma/known-migrations.ts';
import { writeFileAtomic } from './atomic-file.ts';
import { readJsonFile } from './json-file.ts';
import { InstanceError } from './instance-error.ts';

/** Increased when the layout changes in a way that older programs would misread. */
export const LAYOUT_VERSION = 1;

const BIN = path.resolve(import.meta.dirname, '..', '..', 'cli', 'bin.mjs');

const programSchema = z.object({
  version: z.string(),
  /** Its newest migration. */
  schema: z.string(),
  /** Its Node, and the file that this Node runs as the command `recollect`. */
  command: z.tuple([z.string(), z.string()]),
});
const stampSchema = z.object({
  layout: z.int().positive(),
  createdAt: z.string(),
  /** What started the instance last; absent before the first start. */
  program: programSchema.optional(),
  /** A newer program that did not become ready: an upgrade went back from it. */
  failedUpgrade: programSchema.optional(),
});

export type StampedProgram = Readonly<z.infer<typeof programSchema>>;
export type VersionStamp = Readonly<z.infer<typeof stampSchema>>;

/** Returns the stamp of a data directory; null without one. @throws InstanceError for a damaged one */
export function readVersionStamp(file: string): VersionStamp | null {
  const stamp = readJsonFile(file, stampSchema);
  if (stamp.kind === 'value') return stamp.value;
  if (stamp.kind === 'absent') return null;
  throw new InstanceError(
    'damaged-file',
    `The version stamp ${file} is damaged (${stamp.reason}). Expected {"layout": ${LAYOUT_VERSION}, …}.`,
  );
}

/** Returns what a newer program changed in a data directory, as text; null if this program can run it. */
export function newerThanThis({ layout, program }: VersionStamp): string | null {
  if (layout > LAYOUT_VERSION) return `layout ${layout}, supported ${LAYOUT_VERSION}`;
  if (program === undefined) return null;
  if (compareVersions(program.version, VERSION) > 0) return `Recollect ${program.version}, this is ${VERSION}`;
  return knownMigrations().includes(program.schema) ? null : `unknown migration ${program.schema}`;
}

/** Stamps a new data directory, or checks the stamp. @throws InstanceError for one of a newer version, which this program would damage */
export function checkVersionStamp(file: string, now: () => Date = () => new Date()): void {
  const stamp = readVersionStamp(file);
  if (stamp === null) {
    writeStamp(file, { layout: LAYOUT_VERSION, createdAt: now().toISOString() });
    return;
  }
  const newer = newerThanThis(stamp);
  if (newer === null) return;
  throw new InstanceError(
    'newer-data-dir',
    `This data directory was written by a newer version (${newer}). Use that version, or another --data-dir.`,
  );
}

/** Returns this program as it stamps data directories. */
export function thisProgram(): StampedProgram {
  return { version: VERSION, schema: knownMigrations().at(-1) ?? '', command: [process.execPath, BIN] };
}

/** Returns true if a program has the version and the migrations of this one. */
export function isThisProgram({ version, schema }: StampedProgram): boolean {
  const own = thisProgram();
  return version === own.version && schema === own.schema;
}

/** Notes this program in a checked stamp. Call it with the lock, before the program changes data. */
export function stampProgram(file: string): void {
  const stamp = readVersionStamp(file);
  if (stamp === null) return;
  const { failedUpgrade, ...others } = stamp;
  const isOver =
    failedUpgrade === undefined || isThisProgram(failedUpgrade) || compareVersions(VERSION, failedUpgrade.version) > 0;
  writeStamp(file, { ...(isOver ? others : stamp), program: thisProgram() });
}

/** Notes in the stamp of an older program that an upgrade to this one failed. */
export function noteFailedUpgrade(file: string): void {
  const stamp = readVersionStamp(file);
  if (stamp !== null) writeStamp(file, { ...stamp, failedUpgrade: thisProgram() });
}

/** An upgrade that went back. */
interface FailedUpgrade {
  readonly fault: string;
  readonly remedy: string;
  /** It went back from this program, which must not start without a copy. */
  readonly isOfThis: boolean;
}

/** Returns the failed upgrade that a stamp names, as text; null without one. */
export function failedUpgradeOf({ failedUpgrade: failed, program }: VersionStamp): FailedUpgrade | null {
  if (failed === undefined) return null;
  const isOfThis = isThisProgram(failed);
  const former = isOfThis ? `, or use version ${program?.version ?? 'that ran before'}` : '';
  return {
    fault: `The upgrade of this data directory to ${failed.version} failed and was undone.`,
    remedy: `Run recollect upgrade${isOfThis ? '' : ` of ${failed.version} or newer`} to try it again${former}.`,
    isOfThis,
  };
}

/** @throws InstanceError if an upgrade to this program failed, which would migrate the data again without a copy */
export function checkFailedUpgrade(file: string): void {
  const stamp = readVersionStamp(file);
  const failed = stamp === null ? null : failedUpgradeOf(stamp);
  if (failed?.isOfThis === true) throw new InstanceError('failed-upgrade', `${failed.fault} ${failed.remedy}`);
}

function writeStamp(file: string, stamp: VersionStamp): void {
  writeFileAtomic(file, `${JSON.stringify(stamp)}\n`, 0o644);
}
