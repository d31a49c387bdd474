import { z } from 'zod';
import type { TenantId } from '../../../domain/ids.ts';
import type { IndexModel } from '../../../domain/index-model.ts';
import type { TenantRead, TenantTransaction } from '../connection/database.ts';

/** Indexes of a tenant: the served one, the one that is being built, and the one that is being removed. */
export interface TenantIndexes {
  readonly serving: IndexModel;
  readonly building: (IndexModel & { readonly fillAfter: string | null; readonly filled: boolean }) | null;
  readonly fillCount: number;
  readonly fillTotal: number;
  /** Why the index that is built does not get on: the type of a failure. */
  readonly error: string | null;
  /** Its model is not called again before this time. */
  readonly retryAt: Date | null;
  readonly retired: { readonly name: string; readonly at: Date } | null;
  /** Objects indexed before this time are being requested again. */
  readonly rewrite: { readonly before: Date; readonly after: string | null } | null;
}

const indexesRow = z.object({
  serving_model: z.string(),
  serving_dimension: z.number(),
  target_model: z.string().nullable(),
  target_dimension: z.number().nullable(),
  fill_after: z.string().nullable(),
  fill_count: z.number(),
  fill_total: z.number(),
  filled_at: z.date().nullable(),
  error: z.string().nullable(),
  retry_at: z.date().nullable(),
  retired_model: z.string().nullable(),
  retire_at: z.date().nullable(),
  rewrite_before: z.date().nullable(),
  rewrite_after: z.string().nullable(),
});

function toIndexes(row: z.output<typeof indexesRow>): TenantIndexes {
  return {
    serving: { name: row.serving_model, dimension: row.serving_dimension },
    building:
      row.target_model === null || row.target_dimension === null
        ? null
        : {
            name: row.target_model,
            dimension: row.target_dimension,
            fillAfter: row.fill_after,
            filled: row.filled_at !== null,
          },
    fillCount: row.fill_count,
    fillTotal: row.fill_total,
    error: row.error,
    retryAt: row.retry_at,
    retired:
      row.retired_model === null || row.retire_at === null ? null : { name: row.retired_model, at: row.retire_at },
    rewrite: row.rewrite_before === null ? null : { before: row.rewrite_before, after: row.rewrite_after },
  };
}

const READ = `
  SELECT serving_model, serving_dimension, target_model, target_dimension, fill_after, fill_count, fill_total, filled_at, error, retry_at, retired_model, retire_at,
         rewrite_before, rewrite_after
    FROM embedding_indexes WHERE tenant_id = (SELECT current_tenant_id())`;

const HAS_VECTOR = `
  SELECT EXISTS (SELECT FROM embeddings
                  WHERE tenant_id = (SELECT current_tenant_id()) AND model = $1 AND state = 'indexed' AND resource_id = ANY ($2::uuid[])) AS found`;

/** Returns true if one of these memories is indexed in this index. */
export async function isIndexed(read: TenantRead, index: string, memoryIds: readonly string[]): Promise<boolean> {
  const [row] = await read({ name: 'has_vector', text: HAS_VECTOR, values: [index, memoryIds] });
  return z.object({ found: z.boolean() }).parse(row).found;
}

/** Returns a tenant's indexes; null if nothing was ever indexed. */
export async function readIndexes(read: TenantRead): Promise<TenantIndexes | null> {
  const [row] = await read({ name: 'read_indexes', text: READ, values: [] });
  return row === undefined ? null : toIndexes(indexesRow.parse(row));
}

/**
 * Locks and returns a tenant's indexes until the transaction ends: to request vectors for them (`share`), or to change them (`change`). A tenant
 * without indexes is served by `wanted` from now on.
 */
export async function lockIndexes(
  transaction: TenantTransaction,
  tenantId: TenantId,
  wanted: IndexModel,
  hold: 'share' | 'change',
): Promise<TenantIndexes> {
  const text = `${READ} ${hold === 'share' ? 'FOR SHARE' : 'FOR UPDATE'}`;
  let [row] = await transaction.$queryRawUnsafe<unknown[]>(text);
  if (row === undefined) {
    await transaction.$executeRaw`
      INSERT INTO embedding_indexes (tenant_id, serving_model, serving_dimension) VALUES (${tenantId}::uuid, ${wanted.name}, ${wanted.dimension})
      ON CONFLICT DO NOTHING`;
    [row] = await transaction.$queryRawUnsafe<unknown[]>(text);
  }
  return toIndexes(indexesRow.parse(row));
}

/** Starts a target index. Waits for transactions that request vectors: later ones see the new index. */
export async function beginIndex(transaction: TenantTransaction, wanted: IndexModel): Promise<void> {
  await transaction.$executeRaw`
    UPDATE embedding_indexes SET target_model = ${wanted.name}, target_dimension = ${wanted.dimension}, started_at = now(), fill_after = NULL, fill_count = 0,
           fill_total = (SELECT count(*) FROM embeddings e WHERE e.tenant_id = (SELECT current_tenant_id()) AND e.model = serving_model AND e.chunk = 0),
           filled_at = NULL, error = NULL, retry_at = NULL
     WHERE tenant_id = (SELECT current_tenant_id())`;
}

/** Abandons the target index: its vectors are deleted once no transaction can be writing to it. */
export async function abandonIndex(transaction: TenantTransaction): Promise<void> {
  await transaction.$executeRaw`
    UPDATE embedding_indexes SET retired_model = target_model, retire_at = now() + interval '30 seconds', target_model = NULL, target_dimension = NULL, filled_at = NULL, error = NULL, retry_at = NULL
     WHERE tenant_id = (SELECT current_tenant_id()) AND target_model IS NOT NULL`;
}

/** Records the progress through the ledger; `after` null: complete. */
export async function noteFilled(
  transaction: TenantTransaction,
  memories: number,
  after: string | null,
): Promise<void> {
  await transaction.$executeRaw`
    UPDATE embedding_indexes SET fill_count = fill_count + ${memories}, fill_after = coalesce(${after}::uuid, fill_after),
           filled_at = CASE WHEN ${after}::uuid IS NULL THEN now() END
     WHERE tenant_id = (SELECT current_tenant_id())`;
}

/** New captures are found without the index: under constant load there may be no moment without pending vectors. */
const YOUNG_PENDING_SECONDS = 60;

/**
 * Switches to the built index in one update if none of its chunks is left to fill and none was pending for a minute; returns false
 * otherwise. The previous index is removed after `graceMs`.
 */
export async function switchIndex(transaction: TenantTransaction, built: string, graceMs: number): Promise<boolean> {
  const switched = await transaction.$executeRaw`
    UPDATE embedding_indexes SET retired_model = serving_model, retire_at = now() + make_interval(secs => ${graceMs}::double precision / 1000.0), serving_model = target_model,
           serving_dimension = target_dimension, target_model = NULL, target_dimension = NULL, switched_at = now(), error = NULL, retry_at = NULL
     WHERE tenant_id = (SELECT current_tenant_id()) AND target_model = ${built} AND filled_at IS NOT NULL AND retired_model IS NULL
       AND NOT EXISTS (SELECT FROM embeddings e WHERE e.tenant_id = (SELECT current_tenant_id()) AND e.model = ${built} AND e.state = 'pending'
                         AND e.created_at < now() - make_interval(secs => ${YOUNG_PENDING_SECONDS}))
       AND NOT EXISTS (SELECT FROM embeddings e WHERE e.tenant_id = (SELECT current_tenant_id()) AND e.model = ${built} AND e.state = 'filling')`;
  return switched > 0;
}

/** Deletes the record of a deleted index. */
export async function forgetRetired(transaction: TenantTransaction, name: string): Promise<void> {
  await transaction.$executeRaw`
    UPDATE embedding_indexes SET retired_model = NULL, retire_at = NULL WHERE tenant_id = (SELECT current_tenant_id()) AND retired_model = ${name}`;
}

/** Shows why the index that is built does not get on, and rests its model; null: it gets on. */
export async function noteBuildFault(
  transaction: TenantTransaction,
  building: string,
  fault: { readonly error: string; readonly restMs: number } | null,
): Promise<void> {
  await transaction.$executeRaw`
    UPDATE embedding_indexes SET error = ${fault?.error ?? null}::text, retry_at = now() + make_interval(secs => ${fault?.restMs ?? null}::double precision / 1000.0)
     WHERE tenant_id = (SELECT current_tenant_id()) AND target_model = ${building}`;
}

/** Chunks of an index by how far they are. */
export interface IndexCounts {
  readonly waiting: number;
  readonly indexed: number;
  readonly failed: number;
}

const countsRow = z.object({ waiting: z.number(), indexed: z.number(), failed: z.number() });

export async function countIndex(read: TenantRead, name: string): Promise<IndexCounts> {
  const [row] = await read({
    name: 'count_index',
    text: `SELECT count(*) FILTER (WHERE state IN ('pending', 'filling'))::integer AS waiting, count(*) FILTER (WHERE state = 'indexed')::integer AS indexed,
                  count(*) FILTER (WHERE state = 'failed')::integer AS failed
             FROM embeddings WHERE tenant_id = (SELECT current_tenant_id()) AND model = $1`,
    values: [name],
  });
  return countsRow.parse(row);
}
