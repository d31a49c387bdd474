import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import type { CurrentSet } from '../../domain/backup/prune.ts';
import { manifestKey, setOfKey, setPrefix, SETS_PREFIX } from '../../domain/backup/set-keys.ts';
import { reportProgress } from '../heartbeat.ts';

export interface StoredSets {
  /** With a manifest, by its time. */
  readonly complete: readonly CurrentSet[];
  /** Without one, by the time of the last object: abandoned or being written. */
  readonly incomplete: readonly CurrentSet[];
}

/** Lists the backups of a store. @throws ArchiveStoreError */
export async function listSets(store: ArchiveStore, signal?: AbortSignal): Promise<StoredSets> {
  const seen = new Map<string, Date>();
  const complete: CurrentSet[] = [];
  for await (const { key, modifiedAt } of store.list(SETS_PREFIX, signal)) {
    const id = setOfKey(key);
    if (id === null) continue;
    const last = seen.get(id);
    if (last === undefined || last < modifiedAt) seen.set(id, modifiedAt);
    if (key === manifestKey(id)) complete.push({ id, at: modifiedAt });
  }
  for (const { id } of complete) seen.delete(id);
  return { complete, incomplete: [...seen].map(([id, at]) => ({ id, at })) };
}

/** Removes a backup, its manifest first, so that an interrupted removal leaves an incomplete one. @throws ArchiveStoreError */
export async function removeSet(store: ArchiveStore, backupId: string, signal?: AbortSignal): Promise<void> {
  await store.remove(manifestKey(backupId), signal);
  const keys: string[] = [];
  for await (const { key } of store.list(setPrefix(backupId), signal)) keys.push(key);
  for (const key of keys) {
    reportProgress(signal);
    await store.remove(key, signal);
  }
}
