import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import { fullValueKey } from '../../domain/ports/object-store.ts';
import { noteErasure } from '../../stores/postgres/erasure/erasures.ts';
import type { Found, StoredErasure } from '../../stores/postgres/erasure/erasures.ts';
import { expireAllExports } from '../../stores/postgres/exports/exports.ts';
import { namedValues } from '../../stores/postgres/retention/expired-full-values.ts';
import { eraseStrays, removeObjects } from './archived.ts';
import type { ErasureDependencies } from './journal.ts';
import { reportProgress } from '../heartbeat.ts';
import { removeVectors } from '../removed-vectors.ts';

/** Objects per query. */
const CHUNKS_AT_ONCE = 500;

/** Counts these objects in the vector index. */
export async function countObjects(
  { vectors }: Pick<ErasureDependencies, 'vectors'>,
  tenantId: TenantId,
  objects: Found['objects'],
  signal: AbortSignal,
): Promise<number> {
  let remaining = 0;
  for (const [model, of] of Map.groupBy(objects, (object) => object.model))
    for (let from = 0; from < of.length; from += CHUNKS_AT_ONCE) {
      reportProgress(signal);
      const ids = of.slice(from, from + CHUNKS_AT_ONCE).map(({ id }) => id);
      remaining += (await vectors.existing(tenantId, model, ids)).size;
    }
  return remaining;
}

/** Removes pending vectors from the index, then from ledger and cache. Returns how many of the erased objects the index still has. */
export async function eraseVectors(
  dependencies: ErasureDependencies,
  erasure: StoredErasure,
  signal: AbortSignal,
): Promise<number> {
  const { scope, vectors } = dependencies;
  const tenantId = asId<TenantId>(erasure.tenantId);
  do reportProgress(signal);
  while (await removeVectors(scope, vectors, tenantId));
  const remaining = await countObjects(dependencies, tenantId, erasure.found?.objects ?? [], signal);
  if (remaining === 0)
    await scope.asTenant(tenantId, (transaction) => noteErasure(transaction, erasure.id, { phase: 'vectors' }));
  return remaining;
}

/** Returns the full values of erased rows that no other row or archive names: those of sessions under a legal hold and of other users remain. */
export async function unnamedValues(
  { scope }: Pick<ErasureDependencies, 'scope'>,
  { tenantId, found }: StoredErasure,
): Promise<readonly string[]> {
  const hashes = found?.fullValues ?? [];
  const named = await scope.asTenant(asId<TenantId>(tenantId), (transaction) => namedValues(transaction, hashes));
  return hashes.filter((sha256) => !named.has(sha256));
}

/** Removes full values of erased rows, exports, each of which may contain erased rows, and stray archives; of a tenant every object. */
export async function eraseFiles(
  dependencies: ErasureDependencies,
  erasure: StoredErasure,
  signal: AbortSignal,
): Promise<void> {
  const { scope, fullValues, archive } = dependencies;
  const tenantId = asId<TenantId>(erasure.tenantId);
  const hashes = await unnamedValues(dependencies, erasure);
  for (const sha256 of hashes) {
    reportProgress(signal);
    await fullValues?.delete(fullValueKey(tenantId, sha256));
  }
  const more: Record<string, number> = { full_values: hashes.length };
  if (archive !== null) {
    if (erasure.kind === 'tenant')
      more['files'] = await removeObjects(archive, tenantId, ['exports', 'imports', 'archives'], signal);
    else {
      await scope.asTenant(tenantId, expireAllExports);
      // By their folder: the rows that an interrupted attempt expired do not show which files it left. No export completes during an erasure.
      more['exports'] = await removeObjects(archive, tenantId, ['exports'], signal);
      await eraseStrays(dependencies, tenantId, erasure.searchText, signal);
    }
  }
  await scope.asTenant(tenantId, (transaction) => noteErasure(transaction, erasure.id, { phase: 'files', more }));
}
