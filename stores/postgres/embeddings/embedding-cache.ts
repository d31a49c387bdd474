import type pg from 'pg';
import { z } from 'zod';
import type { TenantId } from '../../../domain/ids.ts';
import { decodeVector, encodeVector } from '../../../domain/vector-bytes.ts';
import type { TenantRead, TenantTransaction } from '../connection/database.ts';
import { rowOf } from '../connection/rows.ts';
import type { RemovableEmbedding } from './embedding-removal.ts';

/** A chunk of the ledger and the vector of what the model read of it. */
export interface EmbeddedVector {
  readonly embeddingId: string;
  /** Of the chunk when its text was read. */
  readonly revision: number;
  /** SHA-256 of the text that was read, hex. */
  readonly hash: string;
  readonly vector: Float32Array;
}

const cachedRow = z.object({ hash: z.string(), vector: z.instanceof(Buffer) });

/** Returns the cached vectors of texts, by the hex of their hash. */
export async function cachedVectors(
  read: TenantRead,
  model: string,
  hashes: readonly string[],
): Promise<ReadonlyMap<string, Float32Array>> {
  if (hashes.length === 0) return new Map();
  const rows = await read({
    name: 'cached_vectors',
    text: `SELECT encode(content_hash, 'hex') AS hash, vector FROM embedding_cache
            WHERE tenant_id = (SELECT current_tenant_id()) AND model = $1 AND content_hash = ANY ($2::bytea[])`,
    values: [model, hashes.map((hash) => Buffer.from(hash, 'hex'))],
  });
  return new Map(rows.map((row) => cachedRow.parse(row)).map(({ hash, vector }) => [hash, decodeVector(vector)]));
}

/** Serialises removals, so that the later of two transactions sees that no chunk of a text is left. */
async function lockCache(transaction: TenantTransaction): Promise<void> {
  await transaction.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('recollect.embedding_cache'), hashtext(current_tenant_id()::text))`;
}

/** Deletes cached vectors whose text is in no chunk of an index of that model, of any version. */
async function dropUnused(transaction: TenantTransaction, hashes: readonly string[]): Promise<void> {
  if (hashes.length === 0) return;
  await transaction.$executeRaw`
    DELETE FROM embedding_cache c WHERE c.tenant_id = (SELECT current_tenant_id())
       AND c.content_hash IN (SELECT decode(hash, 'hex') FROM unnest(${hashes}::text[]) AS hash)
       AND NOT EXISTS (SELECT FROM embeddings e WHERE e.tenant_id = (SELECT current_tenant_id()) AND e.embedded_hash = c.content_hash
                         AND regexp_replace(e.model, '@[0-9]+$', '') = c.model)`;
}

const changedRows = z.array(z.object({ id: z.string(), hash: z.string(), before: z.string().nullable() }));

/**
 * Records the hashes of embedded texts in the ledger and caches the vectors of chunks that still exist. Nothing is cached for chunks that were forgotten or changed
 * meanwhile, and the former text of a chunk is removed from the cache.
 */
export async function storeVectors(
  transaction: TenantTransaction,
  tenantId: TenantId,
  model: string,
  embedded: readonly EmbeddedVector[],
): Promise<void> {
  if (embedded.length === 0) return;
  const ordered = embedded.toSorted((a, b) => (a.embeddingId < b.embeddingId ? -1 : 1));
  const changed = changedRows.parse(
    await transaction.$queryRaw`
      UPDATE embeddings e SET embedded_hash = decode(v.hash, 'hex')
        FROM unnest(${ordered.map(({ embeddingId }) => embeddingId)}::uuid[], ${ordered.map(({ hash }) => hash)}::text[], ${ordered.map(({ revision }) => revision)}::integer[]) AS v(id, hash, revision)
       WHERE e.id = v.id AND e.revision = v.revision
      RETURNING e.id, v.hash, encode(old.embedded_hash, 'hex') AS before`,
  );
  const current = new Set(changed.map(({ hash }) => hash));
  const fresh = [...new Map(embedded.map((one) => [one.hash, one])).values()].filter(({ hash }) => current.has(hash));
  await transaction.$executeRaw`
    INSERT INTO embedding_cache (tenant_id, model, content_hash, vector)
    SELECT ${tenantId}::uuid, ${model}, decode(v.hash, 'hex'), decode(v.vector, 'base64')
      FROM unnest(${fresh.map(({ hash }) => hash)}::text[], ${fresh.map(({ vector }) => encodeVector(vector).toString('base64'))}::text[]) AS v(hash, vector)
     ORDER BY v.hash
    ON CONFLICT DO NOTHING`;
  const replaced = changed.flatMap(({ hash, before }) => (before === null || before === hash ? [] : [before]));
  if (replaced.length === 0) return;
  await lockCache(transaction);
  await dropUnused(transaction, replaced);
}

const deletedRows = z.array(z.object({ hash: z.string().nullable() }));

/**
 * Records that the chunks of these memories have left the vector index. Deletes the cached vectors of their texts unless other chunks have the same texts. Chunks
 * that were requested again meanwhile are written again: an object belongs to its memory and chunk, and may have been removed with the former one.
 */
export async function deleteRemoved(
  transaction: TenantTransaction,
  removed: readonly RemovableEmbedding[],
): Promise<void> {
  const memoryIds = removed.map(({ memoryId }) => memoryId);
  // Before the cache is locked, as where vectors are stored.
  await transaction.$executeRaw`
    UPDATE embeddings SET revision = revision + 1, state = CASE state WHEN 'indexed' THEN 'pending' ELSE state END
     WHERE id IN (SELECT w.id FROM embeddings w
                    JOIN (SELECT DISTINCT * FROM unnest(${memoryIds}::uuid[], ${removed.map(({ model }) => model)}::text[]) AS v(resource_id, model)) AS left_index
                   USING (resource_id, model) ORDER BY w.id FOR UPDATE OF w)`;
  await lockCache(transaction);
  const deleted = deletedRows.parse(
    await transaction.$queryRaw`
      DELETE FROM embedding_removals r USING unnest(${memoryIds}::uuid[], ${removed.map(({ id }) => id)}::uuid[]) AS v(resource_id, id)
       WHERE r.tenant_id = (SELECT current_tenant_id()) AND r.resource_id = v.resource_id AND r.id = v.id RETURNING encode(r.embedded_hash, 'hex') AS hash`,
  );
  await dropUnused(transaction, hashesOf(deleted));
}

/**
 * Deletes the ledger rows of at most `memories` memories for an index that is no longer served, and their texts in the cache unless another index
 * has them. Returns the number of chunks.
 */
export async function deleteIndexChunks(
  transaction: TenantTransaction,
  index: string,
  memories: number,
): Promise<number> {
  await lockCache(transaction);
  const deleted = deletedRows.parse(
    await transaction.$queryRaw`
      DELETE FROM embeddings WHERE model = ${index} AND resource_id IN (
        SELECT resource_id FROM embeddings WHERE tenant_id = (SELECT current_tenant_id()) AND model = ${index} AND chunk = 0 ORDER BY id LIMIT ${memories})
      RETURNING encode(embedded_hash, 'hex') AS hash`,
  );
  await dropUnused(transaction, hashesOf(deleted));
  return deleted.length;
}

function hashesOf(rows: z.output<typeof deletedRows>): string[] {
  return [...new Set(rows.flatMap(({ hash }) => (hash === null ? [] : [hash])))];
}

/** Result of embedding a batch. */
export interface EmbeddingWork {
  /** Texts that the model read. */
  readonly texts: number;
  /** Texts with a cached vector, or repeated in the batch. */
  readonly cacheHits: number;
  readonly seconds: number;
}

/** Adds to the counters of a tenant, which are exported as metrics. */
export async function countEmbedding(
  transaction: TenantTransaction,
  tenantId: TenantId,
  model: string,
  { texts, cacheHits, seconds }: EmbeddingWork,
): Promise<void> {
  await transaction.$executeRaw`
    INSERT INTO embedding_counts AS c (tenant_id, model, texts, cache_hits, batches, seconds)
    VALUES (${tenantId}::uuid, ${model}, ${texts}, ${cacheHits}, ${texts > 0 ? 1 : 0}, ${seconds})
    ON CONFLICT (tenant_id, model) DO UPDATE SET texts = c.texts + excluded.texts, cache_hits = c.cache_hits + excluded.cache_hits,
      batches = c.batches + excluded.batches, seconds = c.seconds + excluded.seconds`;
}

/** Records that vectors of a model were written to the index now: sessions whose vectors wait behind them are not stuck. */
export async function noteIndexed(transaction: TenantTransaction, tenantId: TenantId, model: string): Promise<void> {
  await transaction.$executeRaw`UPDATE embedding_counts SET indexed_at = now() WHERE tenant_id = ${tenantId}::uuid AND model = ${model}`;
}

const totalsRow = rowOf({
  model: z.string(),
  texts: z.coerce.number(),
  cache_hits: z.coerce.number(),
  batches: z.coerce.number(),
  seconds: z.number(),
});

/** Totals of a model since the instance was created. */
export type EmbeddingTotals = Omit<z.output<typeof totalsRow>, 'model'>;

/** Sums over all tenants, by model; nothing of a tenant. */
export async function readEmbeddingTotals(pool: pg.Pool): Promise<ReadonlyMap<string, EmbeddingTotals>> {
  const { rows } = await pool.query({ name: 'embedding_totals', text: 'SELECT * FROM embedding_totals()' });
  return new Map(
    z
      .array(totalsRow)
      .parse(rows)
      .map(({ model, ...totals }) => [model, totals]),
  );
}
