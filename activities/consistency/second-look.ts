import type { ListedObject } from '../../domain/ports/vector-index.ts';
import {
  ledgerOf,
  memoriesOfOthers,
  memoriesToRemove,
  setHashes,
  requestMissing,
} from '../../stores/postgres/consistency/ledger.ts';
import type { LedgerRow } from '../../stores/postgres/consistency/ledger.ts';
import { requestAgain } from '../../stores/postgres/connection/maintenance.ts';
import type { DivergenceKind } from '../../workflows/consistency/types.ts';
import { placeChunks, toIndexChunk } from '../indexing/place-chunks.ts';
import type { PlacedChunk } from '../indexing/place-chunks.ts';
import type { Comparison } from './comparison.ts';

/** A ledger row and its object. */
export interface Compared {
  readonly id: string;
  readonly row: LedgerRow | null;
  readonly object: ListedObject | null;
}

type Fault = 'missing' | 'orphaned' | 'stale' | 'memory_missing';
type Verdict = { readonly kind: Fault; readonly hash: string | null } | null;

const NO_VECTOR = new Float32Array();

function isSame({ vectors }: Comparison, model: string, placed: PlacedChunk, row: LedgerRow, object: ListedObject) {
  // Chunks of derived texts may change; captured texts never do.
  const isCaptured = row.type === 'observation' || row.type === 'prompt';
  if (isCaptured && placed.contentHash.toString('hex') !== row.hash) return false;
  return vectors.matches(model, toIndexChunk(placed, NO_VECTOR), object);
}

/** Returns the memories of objects without a ledger row that wait to be removed from the index. */
export function removedMemories(
  { maintenance, tenantId }: Comparison,
  model: string,
  objects: readonly (ListedObject | null)[],
): Promise<ReadonlySet<string>> {
  const memoryIds = objects.flatMap((object) => (object === null || object.memoryId === '' ? [] : [object.memoryId]));
  return memoriesToRemove(maintenance, tenantId, model, [...new Set(memoryIds)]);
}

/** Returns the fault of each, null if there is none, its row is pending, or its memory is among the removed ones. */
export async function judge(
  comparison: Comparison,
  model: string,
  compared: readonly Compared[],
  removed: ReadonlySet<string>,
): Promise<ReadonlyMap<string, Verdict>> {
  const indexed = compared.flatMap(({ row }) => (row?.isIndexed === true ? [row] : []));
  const { placed, missingIds } = await comparison.database.readAsTenant(comparison.tenantId, (read) =>
    placeChunks(read, indexed),
  );
  const placedOf = new Map(placed.map((one) => [one.pending.objectId, one]));
  return new Map(
    compared.map(({ id, row, object }): [string, Verdict] => {
      if (row === null)
        return [id, object !== null && removed.has(object.memoryId) ? null : { kind: 'orphaned', hash: null }];
      if (!row.isIndexed) return [id, null];
      if (missingIds.has(row.memoryId)) return [id, { kind: 'memory_missing', hash: null }];
      const wanted = placedOf.get(id);
      // The memory has no such chunk any more: no object may exist.
      if (wanted === undefined) return [id, object === null ? null : { kind: 'orphaned', hash: null }];
      if (object === null) return [id, { kind: 'missing', hash: null }];
      return [
        id,
        isSame(comparison, model, wanted, row, object)
          ? null
          : { kind: 'stale', hash: wanted.contentHash.toString('hex') },
      ];
    }),
  );
}

/** Repairs faults of one kind; returns the number repaired. */
async function repairFaults(
  comparison: Comparison,
  model: string,
  kind: Fault | 'wrong_tenant',
  faults: readonly (Compared & { readonly hash: string | null })[],
): Promise<number> {
  const { maintenance, tenantId, vectors } = comparison;
  const ids = faults.map(({ id }) => id);
  switch (kind) {
    case 'missing':
      return requestAgain(maintenance, tenantId, model, ids);
    case 'stale': {
      await setHashes(
        maintenance,
        faults.flatMap(({ row, hash }) => (row === null || hash === null ? [] : [{ id: row.id, hash }])),
      );
      return requestAgain(maintenance, tenantId, model, ids);
    }
    case 'memory_missing':
      await requestMissing(
        maintenance,
        tenantId,
        faults.flatMap(({ row }) => (row === null ? [] : [row.memoryId])),
      );
      return ids.length;
    case 'orphaned':
    case 'wrong_tenant':
      await vectors.removeObjects(tenantId, model, ids);
      // A memory requested again meanwhile has the same object: it is written again.
      await requestAgain(maintenance, tenantId, model, ids);
      return ids.length;
  }
}

/** Reads these rows and objects again, counts and repairs the remaining differences. Returns true if chunks were queued for indexing. */
export async function pollAgain(comparison: Comparison, model: string, ids: readonly string[]): Promise<boolean> {
  const { maintenance, tenantId, vectors, tally, repair } = comparison;
  // The ledger and the removals first: an object is written after its row and removed before it.
  const rows = await ledgerOf(maintenance, tenantId, model, ids);
  const unlisted = ids.filter((id) => !rows.has(id));
  const removed = await removedMemories(comparison, model, await vectors.listed(tenantId, model, unlisted));
  const objects = new Map((await vectors.listed(tenantId, model, ids)).map((object) => [object.objectId, object]));
  const compared = ids.flatMap((id): Compared[] => {
    const row = rows.get(id) ?? null;
    const object = objects.get(id) ?? null;
    return row === null && object === null ? [] : [{ id, row, object }];
  });
  const verdicts = await judge(comparison, model, compared, removed);
  const strays = compared.filter(({ id }) => verdicts.get(id)?.kind === 'orphaned');
  const others = await memoriesOfOthers(
    maintenance,
    tenantId,
    strays.flatMap(({ object }) => (object === null || object.memoryId === '' ? [] : [object.memoryId])),
  );
  const faults = new Map<DivergenceKind & (Fault | 'wrong_tenant'), (Compared & { readonly hash: string | null })[]>();
  for (const one of compared) {
    const verdict = verdicts.get(one.id) ?? null;
    if (verdict === null) continue;
    const isOthers = one.object !== null && one.row === null && others.has(one.object.memoryId);
    const kind = isOthers ? 'wrong_tenant' : verdict.kind;
    faults.set(kind, [...(faults.get(kind) ?? []), { ...one, hash: verdict.hash }]);
  }
  for (const [kind, some] of faults) {
    tally.find(kind, some.length);
    if (repair) tally.repair(kind, await repairFaults(comparison, model, kind, some));
  }
  return repair && faults.size > 0;
}
