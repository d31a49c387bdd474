import type pg from 'pg';
import { z } from 'zod';
import { FIRST_ID } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { IndexModel } from '../../../domain/index-model.ts';
import { MEMORY_TYPES } from '../../../domain/ports/vector-index.ts';
import { removalSql } from '../embeddings/embedding-removal.ts';
import { columnOf, idsOf, millisColumn, rowOf, tenantColumn } from '../connection/rows.ts';

/** The ledger as a comparison reads it. Over all tenants: these take a pool of the maintenance role. */

const ledgerRow = rowOf({
  id: z.string(),
  object_id: z.string(),
  memory_id: z.string(),
  type: z.enum(MEMORY_TYPES),
  chunk: z.number(),
  revision: z.number(),
  is_indexed: z.boolean(),
  /** SHA-256 of title and text, hex. */
  hash: z.string(),
  indexed_at_ms: millisColumn.nullable().transform((ms) => ms ?? 0),
});
export type LedgerRow = z.output<typeof ledgerRow>;

const COLUMNS = `id, object_id, resource_id AS memory_id, resource_type AS type, chunk, revision, state = 'indexed' AS is_indexed, encode(content_hash, 'hex') AS hash,
  indexed_at AS indexed_at_ms`;

/** A page of the ledger of an index in the order of its objects, after that one. */
export async function ledgerPage(
  maintenance: pg.Pool,
  tenantId: TenantId,
  model: string,
  after: string | null,
  limit: number,
): Promise<LedgerRow[]> {
  const { rows } = await maintenance.query({
    name: 'ledger_page',
    text: `SELECT ${COLUMNS} FROM embeddings WHERE tenant_id = $1 AND model = $2 AND object_id > $3 ORDER BY tenant_id, model, object_id LIMIT $4`,
    values: [tenantId, model, after ?? FIRST_ID, limit],
  });
  return z.array(ledgerRow).parse(rows);
}

/** Rows of the ledger of these objects; what it does not have is left out. */
export async function ledgerOf(
  maintenance: pg.Pool,
  tenantId: TenantId,
  model: string,
  objectIds: readonly string[],
): Promise<ReadonlyMap<string, LedgerRow>> {
  const { rows } = await maintenance.query(
    `SELECT ${COLUMNS} FROM embeddings WHERE tenant_id = $1 AND model = $2 AND object_id = ANY ($3::uuid[])`,
    [tenantId, model, objectIds],
  );
  return new Map(
    z
      .array(ledgerRow)
      .parse(rows)
      .map((row) => [row.objectId, row]),
  );
}

/** Returns those of the memories that belong to another tenant in the ledger. */
export async function memoriesOfOthers(
  maintenance: pg.Pool,
  tenantId: TenantId,
  memoryIds: readonly string[],
): Promise<ReadonlySet<string>> {
  const { rows } = await maintenance.query(
    'SELECT DISTINCT resource_id AS id FROM embeddings WHERE resource_id = ANY ($2::uuid[]) AND tenant_id <> $1',
    [tenantId, memoryIds],
  );
  return new Set(idsOf(rows));
}

/** Returns those of the memories whose chunks wait to be removed from an index. */
export async function memoriesToRemove(
  maintenance: pg.Pool,
  tenantId: TenantId,
  model: string,
  memoryIds: readonly string[],
): Promise<ReadonlySet<string>> {
  if (memoryIds.length === 0) return new Set();
  const { rows } = await maintenance.query(
    'SELECT DISTINCT resource_id AS id FROM embedding_removals WHERE tenant_id = $1 AND resource_id = ANY ($3::uuid[]) AND model = $2',
    [tenantId, model, memoryIds],
  );
  return new Set(idsOf(rows));
}

/** Removes every chunk of missing memories from the index. */
export async function requestMissing(
  maintenance: pg.Pool,
  tenantId: TenantId,
  memoryIds: readonly string[],
): Promise<void> {
  await maintenance.query(
    `WITH ${removalSql('id IN (SELECT id FROM embeddings WHERE tenant_id = $1 AND resource_id = ANY ($2::uuid[]) ORDER BY id FOR UPDATE)')} SELECT`,
    [tenantId, memoryIds],
  );
}

/** Sets the hash of chunks to that of their text. */
export async function setHashes(
  maintenance: pg.Pool,
  hashes: readonly { readonly id: string; readonly hash: string }[],
): Promise<void> {
  await maintenance.query(
    `UPDATE embeddings e SET content_hash = decode(v.hash, 'hex') FROM unnest($1::uuid[], $2::text[]) AS v(id, hash) WHERE e.id = v.id`,
    [hashes.map(({ id }) => id), hashes.map(({ hash }) => hash)],
  );
}

const indexRow = z.object({
  serving_model: z.string(),
  serving_dimension: z.number(),
  target_model: z.string().nullable(),
  target_dimension: z.number().nullable(),
});

/** Returns the indexes of a tenant that are updated: the served one, then the target. */
export async function updatedIndexes(maintenance: pg.Pool, tenantId: TenantId): Promise<IndexModel[]> {
  const { rows } = await maintenance.query(
    'SELECT serving_model, serving_dimension, target_model, target_dimension FROM embedding_indexes WHERE tenant_id = $1',
    [tenantId],
  );
  return z
    .array(indexRow)
    .parse(rows)
    .flatMap((row) => [
      { name: row.serving_model, dimension: row.serving_dimension },
      ...(row.target_model === null || row.target_dimension === null
        ? []
        : [{ name: row.target_model, dimension: row.target_dimension }]),
    ]);
}

/** Returns the tenants after `after`, by id. */
export async function tenantsAfter(maintenance: pg.Pool, after: string | null, limit: number): Promise<TenantId[]> {
  const { rows } = await maintenance.query('SELECT id FROM tenants WHERE id > $1 ORDER BY id LIMIT $2', [
    after ?? FIRST_ID,
    limit,
  ]);
  return columnOf(rows, 'id', tenantColumn);
}
