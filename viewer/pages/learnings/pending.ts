import type { Learning } from '../../contract/index.ts';

/** A change of one version of a learning that answers loaded before `until` (ms) do not contain. */
export interface PendingChange {
  readonly change: Partial<Learning>;
  readonly until: number;
}
export type PendingChanges = ReadonlyMap<string, PendingChange>;

/** Returns changes with one more for each id; it applies to all answers until it is settled. */
export function withChange(before: PendingChanges, ids: readonly string[], change: Partial<Learning>): PendingChanges {
  return new Map([...before, ...ids.map((id) => [id, { change, until: Number.POSITIVE_INFINITY }] as const)]);
}

/** Returns changes of which those of the ids apply to answers loaded before `at` only. */
export function settledAt(before: PendingChanges, ids: readonly string[], at: number): PendingChanges {
  return new Map([...before].map(([id, entry]) => [id, ids.includes(id) ? { ...entry, until: at } : entry]));
}

/** Returns changes without those of the ids, which the server rejected. */
export function withoutChange(before: PendingChanges, ids: readonly string[]): PendingChanges {
  return new Map([...before].filter(([id]) => !ids.includes(id)));
}

/** Returns a learning with its change, if it was loaded (ms) before the change was. */
export function changedLearning<Given extends Learning>(
  learning: Given,
  loadedAt: number,
  changes: PendingChanges,
): Given {
  const pending = changes.get(learning.id);
  return pending === undefined || loadedAt > pending.until ? learning : { ...learning, ...pending.change };
}

/** Returns the rows of a list with the changes; `readAtOf`: when a row was read; `isListed`: whether a changed one belongs to it. */
export function changedRows(
  learnings: readonly Learning[],
  changes: PendingChanges,
  readAtOf: (learning: Learning) => number,
  isListed: (learning: Learning) => boolean,
): readonly Learning[] {
  if (changes.size === 0) return learnings;
  return learnings.flatMap((learning) => {
    const changed = changedLearning(learning, readAtOf(learning), changes);
    return changed === learning || isListed(changed) ? [changed] : [];
  });
}
