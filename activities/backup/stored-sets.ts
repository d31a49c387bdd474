import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import type { CurrentSet } from '../../domain/backup/prune.ts';
import { manifestKey, setOfKey, setPrefix, SETS_PREFIX } from '../../domain/backup/set-keys.ts';
import { reportProgress } from '../heartbeat.ts';

export interface StoredSets {
  /** With a manifest, by the time that it was written. */
  readonly whole: readonly CurrentSet[];
  /** Without one, by the time of the last object: what attempts left that died, or what is being written. */
  readonly halves: readonly CurrentSet[];
}

/** What lies in a store of backups. @throws ArchiveStoreError */
export async function listSets(store: ArchiveStore, signal?: AbortSignal): Promise<StoredSets> {
  const seen = new Map<string, Date>();
  const whole: CurrentSet[] = [];
  for await (const { key, modifiedAt } of store.list(SETS_PREFIX, signal)) {
    const id = setOfKey(key);
    if (id === null) continue;
    const last = seen.get(id);
    if (last === undefined || last < modifiedAt) seen.set(id, modifiedAt);
    if (key === manifestKey(id)) whole.push({ id, at: modifiedAt });
  }
  for (const { id } of whole) seen.delete(id);
  return { whole, halves: [...seen].map(([id, at]) => ({ id, at })) };
}

/** Takes a set away, its manifest first: what is left of it, if this is cut short, is no set. @throws ArchiveStoreError */
export async function removeSet(store: ArchiveStore, setId: string, signal?: AbortSignal): Promise<void> {
  await store.remove(manifestKey(setId), signal);
  const keys: string[] = [];
  for await (const { key } of store.list(setPrefix(setId), signal)) keys.push(key);
  for (const key of keys) {
    reportProgress(signal);
    await store.remove(key, signal);
  }
}
