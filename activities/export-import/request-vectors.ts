import type pg from 'pg';
import { v7 } from 'uuid';
import { z } from 'zod';
import { asId, chunkObjectId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { IndexModel } from '../../domain/index-model.ts';
import { MEMORY_TYPES } from '../../domain/ports/vector-index.ts';

const ledgerLine = z.object({
  row: z.object({
    session_id: z.uuid().nullable(),
    resource_type: z.enum(MEMORY_TYPES),
    resource_id: z.uuid(),
    chunk: z.number().int().min(0),
    content_hash: z.string().regex(/^\\x[0-9a-f]*$/),
  }),
});

const indexRow = z.object({ serving_model: z.string(), serving_dimension: z.number() });

/** Returns the tenant's served index; registers `wanted` if it has none. */
export async function servedIndex(
  client: pg.ClientBase,
  tenantId: string,
  wanted: IndexModel | null,
): Promise<IndexModel | null> {
  if (wanted !== null)
    await client.query(
      'INSERT INTO embedding_indexes (tenant_id, serving_model, serving_dimension) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
      [tenantId, wanted.name, wanted.dimension],
    );
  const { rows } = await client.query(
    'SELECT serving_model, serving_dimension FROM embedding_indexes WHERE tenant_id = $1',
    [tenantId],
  );
  const [row] = z.array(indexRow).parse(rows);
  return row === undefined ? null : { name: row.serving_model, dimension: row.serving_dimension };
}

/** Requests the vectors of ledger lines in this tenant's index. Memories that were not imported get none. */
export async function requestVectors(
  client: pg.ClientBase,
  tenantId: TenantId,
  index: IndexModel,
  lines: readonly string[],
): Promise<number> {
  const rows = lines.map((line) => ledgerLine.parse(JSON.parse(line)).row);
  const { rowCount } = await client.query(
    `INSERT INTO embeddings (id, tenant_id, session_id, resource_type, resource_id, chunk, model, dimension, content_hash, object_id, occurred_at)
     SELECT v.id, $1, nullif(v.session_id, '')::uuid, v.resource_type, v.resource_id, v.chunk, $2, $3, v.content_hash::bytea, v.object_id,
            CASE WHEN v.resource_type IN ('summary', 'learning') THEN now() ELSE 'epoch' END
       FROM unnest($4::uuid[], $5::text[], $6::text[], $7::uuid[], $8::integer[], $9::text[], $10::uuid[]) AS v(id, session_id, resource_type, resource_id, chunk, content_hash, object_id)
      WHERE CASE v.resource_type WHEN 'prompt' THEN EXISTS (SELECT FROM prompts m WHERE m.id = v.resource_id AND m.tenant_id = $1)
                                 WHEN 'observation' THEN EXISTS (SELECT FROM observations m WHERE m.id = v.resource_id AND m.tenant_id = $1)
                                 WHEN 'summary' THEN EXISTS (SELECT FROM summaries m WHERE m.id = v.resource_id AND m.tenant_id = $1)
                                 ELSE EXISTS (SELECT FROM learnings m WHERE m.id = v.resource_id AND m.tenant_id = $1) END
     ON CONFLICT DO NOTHING`,
    [
      tenantId,
      index.name,
      index.dimension,
      rows.map(() => v7()),
      rows.map((row) => row.session_id ?? ''),
      rows.map((row) => row.resource_type),
      rows.map((row) => row.resource_id),
      rows.map((row) => row.chunk),
      rows.map((row) => row.content_hash),
      rows.map((row) => chunkObjectId(tenantId, asId(row.resource_id), row.chunk, index.name)),
    ],
  );
  return rowCount ?? 0;
}
