import { v7 } from 'uuid';
import { z } from 'zod';
import type { TextChunk } from '../../../domain/chunking.ts';
import { asId, chunkObjectId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { IndexModel } from '../../../domain/index-model.ts';
import { MEMORY_TYPES } from '../../../domain/ports/vector-index.ts';
import type { MemoryType } from '../../../domain/ports/vector-index.ts';
import type { TenantRead, TenantTransaction } from '../connection/database.ts';
import { lockIndexes } from './embedding-indexes.ts';
import { rowOf } from '../connection/rows.ts';

/** The index of the settings: its name and dimension. Until a change is complete, a tenant may be served by another one. */
export type EmbeddingModel = IndexModel;

/** A memory whose chunks should stand in the vector index. */
export interface RequestedEmbedding {
  readonly type: MemoryType;
  readonly id: string;
  readonly sessionId: string | null;
  readonly chunks: readonly TextChunk[];
  /** When it happened: newer memories are indexed first. Without a time, a summary or learning is of now, and a captured row is back-fill. */
  readonly occurredAt?: Date;
}

/** After this many failures a chunk is left as failed, so that its session can end; a day later it gets another turn. */
const MAX_ATTEMPTS = 8;

/**
 * Requests vectors for the tenant's served index and for the target index, if one is being built. Idempotent per chunk and index. A tenant's first
 * vectors are created with `model`.
 */
export async function requestEmbeddings(
  transaction: TenantTransaction,
  tenantId: TenantId,
  model: EmbeddingModel,
  wanted: readonly RequestedEmbedding[],
): Promise<number> {
  if (wanted.every((memory) => memory.chunks.length === 0)) return 0;
  // Locked, so that a change of the indexes that starts meanwhile finds these rows in the ledger.
  const { serving, building } = await lockIndexes(transaction, tenantId, model, 'share');
  return insertChunks(transaction, tenantId, building === null ? [serving] : [serving, building], wanted, 'pending');
}

/** Requests the chunks of memories in the target index; existing chunks are unchanged. */
export function fillIndex(
  transaction: TenantTransaction,
  tenantId: TenantId,
  index: IndexModel,
  memories: readonly RequestedEmbedding[],
): Promise<number> {
  return insertChunks(transaction, tenantId, [index], memories, 'filling');
}

async function insertChunks(
  transaction: TenantTransaction,
  tenantId: TenantId,
  indexes: readonly IndexModel[],
  memories: readonly RequestedEmbedding[],
  state: 'pending' | 'filling',
): Promise<number> {
  const rows = indexes.flatMap((index) =>
    memories.flatMap((memory) => memory.chunks.map((chunk) => ({ index, memory, chunk }))),
  );
  if (rows.length === 0) return 0;
  // Arrays, so that the statement is identical for any number of rows: with values it would be planned each time.
  return transaction.$executeRaw`
    INSERT INTO embeddings (id, tenant_id, session_id, resource_type, resource_id, chunk, model, dimension, content_hash, object_id, state, occurred_at)
    SELECT v.id, ${tenantId}::uuid, nullif(v.session_id, '')::uuid, v.resource_type, v.resource_id, v.chunk, v.model, v.dimension, decode(v.content_hash, 'hex'), v.object_id, ${state},
           coalesce(nullif(v.occurred_at, '')::timestamptz, CASE WHEN v.resource_type IN ('summary', 'learning') THEN now() ELSE 'epoch' END)
      FROM unnest(
        ${rows.map(() => v7())}::uuid[],
        ${rows.map(({ memory }) => memory.sessionId ?? '')}::text[],
        ${rows.map(({ memory }) => memory.type)}::text[],
        ${rows.map(({ memory }) => memory.id)}::uuid[],
        ${rows.map(({ chunk }) => chunk.n)}::integer[],
        ${rows.map(({ index }) => index.name)}::text[],
        ${rows.map(({ index }) => index.dimension)}::integer[],
        ${rows.map(({ chunk }) => chunk.contentHash.toString('hex'))}::text[],
        ${rows.map(({ index, memory, chunk }) => chunkObjectId(tenantId, asId(memory.id), chunk.n, index.name))}::uuid[],
        ${rows.map(({ memory }) => memory.occurredAt?.toISOString() ?? '')}::text[]
      ) AS v(id, session_id, resource_type, resource_id, chunk, model, dimension, content_hash, object_id, occurred_at)
    ON CONFLICT DO NOTHING`;
}

const pendingRows = z.array(
  rowOf({
    id: z.string(),
    type: z.enum(MEMORY_TYPES),
    memory_id: z.string(),
    chunk: z.number(),
    object_id: z.string(),
    /** Version of the chunk when it was read: a change meanwhile increments it. */
    revision: z.number(),
  }),
);
export type PendingEmbedding = z.output<typeof pendingRows>[number];

/**
 * Returns chunks of an index that wait for their vector, the newest memories first: a session that ends during an import of old ones is searchable
 * before them. Every fourth is one of the oldest, so that none waits for ever. If no chunk waits, returns those of a refill.
 */
export async function pendingEmbeddings(
  transaction: TenantTransaction,
  index: string,
  limit: number,
): Promise<PendingEmbedding[]> {
  const pending = pendingRows.parse(
    await transaction.$queryRaw`
      WITH newest AS (
        SELECT id, 2 * row_number() OVER (ORDER BY occurred_at DESC, id DESC) AS place FROM embeddings
         WHERE tenant_id = (SELECT current_tenant_id()) AND model = ${index} AND state = 'pending' ORDER BY occurred_at DESC, id DESC LIMIT ${limit}
      ), oldest AS (
        SELECT id, 6 * row_number() OVER (ORDER BY occurred_at, id) + 1 AS place FROM embeddings
         WHERE tenant_id = (SELECT current_tenant_id()) AND model = ${index} AND state = 'pending' ORDER BY occurred_at, id LIMIT ${Math.ceil(limit / 4)}
      ), first AS (
        SELECT id, min(place) AS place FROM (SELECT * FROM newest UNION ALL SELECT * FROM oldest) AS either GROUP BY id ORDER BY min(place), id LIMIT ${limit}
      )
      SELECT e.id, e.resource_type AS type, e.resource_id AS memory_id, e.chunk, e.object_id, e.revision
        FROM first JOIN embeddings e ON e.id = first.id ORDER BY first.place, e.id`,
  );
  if (pending.length > 0) return pending;
  return pendingRows.parse(
    await transaction.$queryRaw`
      SELECT id, resource_type AS type, resource_id AS memory_id, chunk, object_id, revision FROM embeddings
       WHERE tenant_id = (SELECT current_tenant_id()) AND model = ${index} AND state = 'filling' ORDER BY id LIMIT ${limit}`,
  );
}

/** Cancels pending chunks of an index that is replaced or cannot be written. */
export function countDone(transaction: TenantTransaction, index: string): Promise<number> {
  return transaction.$executeRaw`
    UPDATE embeddings SET state = 'indexed' WHERE tenant_id = (SELECT current_tenant_id()) AND model = ${index} AND state = 'pending'`;
}

const memoryRow = z.object({
  id: z.string(),
  session_id: z.string().nullable(),
  resource_type: z.enum(MEMORY_TYPES),
  resource_id: z.string(),
});

/** A memory of an index, by the ledger row of its first chunk. */
export interface IndexedMemory {
  readonly rowId: string;
  readonly sessionId: string | null;
  readonly type: MemoryType;
  readonly id: string;
}

/** Memories of an index after a row of the ledger, in its order. */
export async function memoriesOfIndex(
  read: TenantRead,
  index: string,
  after: string | null,
  limit: number,
): Promise<IndexedMemory[]> {
  const rows = await read({
    name: 'memories_of_index',
    text: `SELECT id, session_id, resource_type, resource_id FROM embeddings
            WHERE tenant_id = (SELECT current_tenant_id()) AND model = $1 AND chunk = 0 AND id > coalesce($2::uuid, '00000000-0000-0000-0000-000000000000')
            ORDER BY id LIMIT $3`,
    values: [index, after, limit],
  });
  return z
    .array(memoryRow)
    .parse(rows)
    .map((row) => ({ rowId: row.id, sessionId: row.session_id, type: row.resource_type, id: row.resource_id }));
}

const settledRows = z.array(z.object({ settled: z.boolean() }));

/**
 * Records the outcome of chunks; rejected ones are retried until `MAX_ATTEMPTS`, withheld ones are not. Returns how many of the written ones changed after they
 * were read, and so wait again.
 */
export async function settleEmbeddings(
  transaction: TenantTransaction,
  written: readonly Pick<PendingEmbedding, 'id' | 'revision'>[],
  refused: readonly { readonly id: string; readonly message: string; readonly isWithheld?: boolean }[],
): Promise<number> {
  let changed = 0;
  if (written.length > 0) {
    // In the order of their ids, as in all statements that change several. Forgotten chunks have left the ledger.
    const ordered = written.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    const rows = settledRows.parse(
      await transaction.$queryRaw`
        UPDATE embeddings e SET state = CASE WHEN e.revision = v.revision THEN 'indexed' WHEN e.state = 'indexed' THEN 'pending' ELSE e.state END,
               indexed_at = CASE WHEN e.revision = v.revision THEN now() ELSE e.indexed_at END, error = NULL
          FROM unnest(${ordered.map(({ id }) => id)}::uuid[], ${ordered.map(({ revision }) => revision)}::integer[]) AS v(id, revision)
         WHERE e.id = v.id
        RETURNING e.revision = v.revision AS settled`,
    );
    changed = rows.filter(({ settled }) => !settled).length;
  }
  for (const chunk of refused) {
    const [maxAttempts, end] = chunk.isWithheld === true ? [1, 'withheld'] : [MAX_ATTEMPTS, 'failed'];
    await transaction.$executeRaw`
      UPDATE embeddings SET attempts = attempts + 1, error = left(${chunk.message}, 500), state = CASE WHEN attempts + 1 >= ${maxAttempts} THEN ${end} ELSE state END,
             failed_at = CASE WHEN attempts + 1 >= ${maxAttempts} THEN now() END
       WHERE id = ${chunk.id}::uuid`;
  }
  return changed;
}

/** Retries the failed and withheld vectors of a session; returns their number. */
export function restartFailedVectors(transaction: TenantTransaction, sessionId: string): Promise<number> {
  return transaction.$executeRaw`
    UPDATE embeddings SET state = 'pending', attempts = 0, failed_at = NULL WHERE session_id = ${sessionId}::uuid AND state IN ('failed', 'withheld')`;
}
