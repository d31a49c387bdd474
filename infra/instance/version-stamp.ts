import { z } from 'zod';
import { writeFileAtomic } from './atomic-file.ts';
import { readJsonFile } from './json-file.ts';
import { InstanceError } from './instance-error.ts';

/** Increased when the layout changes in a way that older programs would misread. */
export const LAYOUT_VERSION = 1;

const stampSchema = z.object({ layout: z.int().positive(), createdAt: z.string() });

/**
 * Stamps a new data directory, or returns the layout version of an existing one. @throws InstanceError for one of a
 * newer version, which this program would damage
 */
export function checkVersionStamp(file: string, now: () => Date = () => new Date()): number {
  const stamp = readJsonFile(file, stampSchema);
  if (stamp.kind === 'damaged') {
    throw new InstanceError(
      'damaged-file',
      `The version stamp ${file} is damaged (${stamp.reason}). Expected {"layout": ${LAYOUT_VERSION}, …}.`,
    );
  }
  if (stamp.kind === 'absent') {
    writeFileAtomic(file, `${JSON.stringify({ layout: LAYOUT_VERSION, createdAt: now().toISOString() })}\n`, 0o644);
    return LAYOUT_VERSION;
  }
  if (stamp.value.layout > LAYOUT_VERSION) {
    throw new InstanceError(
      'newer-data-dir',
      `This data directory was written by a newer version (layout ${stamp.value.layout}, supported ${LAYOUT_VERSION}). Use that version, or another --data-dir.`,
    );
  }
  return stamp.value.layout;
}
