import { createHash } from 'node:crypto';
import type pg from 'pg';
import { v5, v7 } from 'uuid';
import { z } from 'zod';
import { asId, chunkObjectId } from '../../../domain/ids.ts';
import type { RowId, TenantId } from '../../../domain/ids.ts';
import type { IndexChunk, VectorIndex } from '../../../domain/ports/vector-index.ts';
import { chunkOf } from '../../stores/weaviate/chunks.ts';
import type { SpeedMemory } from './speed-corpus.ts';

/** Namespace of ids that are the same in every run. */
const NAMESPACE = '3d0d9e0e-7d0a-5a55-9a34-0f2a4d1c8b77';
const PROJECTS = 12;
const SESSION_MEMORIES = 50;

/** Owner and model of the written memories. */
export interface FillTarget {
  readonly database: pg.Pool;
  readonly tenantId: TenantId;
  readonly userId: string;
  readonly model: string;
  readonly dimension: number;
}

/** Returns the only tenant and user of a new instance. */
export async function soleUser(database: pg.Pool): Promise<{ readonly tenantId: TenantId; readonly userId: string }> {
  const { rows } = await database.query('SELECT id, tenant_id FROM users ORDER BY created_at LIMIT 1');
  const [user] = z.array(z.object({ id: z.string(), tenant_id: z.string() })).parse(rows);
  if (user === undefined) throw new Error('the instance has no user');
  return { tenantId: asId(user.tenant_id), userId: user.id };
}

const sessionId = (n: number): string => v5(`session ${n}`, NAMESPACE);
const projectId = (session: number): string => v5(`project ${session % PROJECTS}`, NAMESPACE);

/** Writes the sessions of the memories `from`–`to` in their final state. */
export async function writeSessions(target: FillTarget, from: number, to: number): Promise<void> {
  const { database, tenantId, userId } = target;
  const numbers: number[] = [];
  for (let n = Math.floor(from / SESSION_MEMORIES); n * SESSION_MEMORIES < to; n += 1) numbers.push(n);
  await database.query(
    `INSERT INTO projects (id, tenant_id, display_name) SELECT p.id, $1, p.name FROM unnest($2::uuid[], $3::text[]) AS p(id, name) ON CONFLICT DO NOTHING`,
    [
      tenantId,
      Array.from({ length: PROJECTS }, (_, n) => projectId(n)),
      Array.from({ length: PROJECTS }, (_, n) => `project-${n}`),
    ],
  );
  await database.query(
    `INSERT INTO sessions (id, tenant_id, user_id, project_id, host, external_id, title, status, phase, last_seq, consumed_seq, windowed_seq, learned_seq, started_at, last_event_at, ended_at)
     SELECT s.id, $1, $2, s.project_id, 'bench', s.name, s.name, 'ended', 'settled', 50, 50, 50, 50, now(), now(), now()
       FROM unnest($3::uuid[], $4::uuid[], $5::text[]) AS s(id, project_id, name) ON CONFLICT DO NOTHING`,
    [tenantId, userId, numbers.map(sessionId), numbers.map(projectId), numbers.map((n) => `speed-${n}`)],
  );
}

const ROWS = `SELECT r.* FROM json_to_recordset($1::json) AS r(id uuid, n integer, session_id uuid, project_id uuid, type text, kind text, tool text, title text, content text, tags text[], at timestamptz)`;
/** One statement per type of memory; `$2` is the tenant, `$3` the user. */
const INSERTS = [
  `INSERT INTO observations (id, tenant_id, session_id, user_id, seq, type, event, tool, title, content, preview, tags, files_read, files_modified, key, tokens, search, occurred_at)
   SELECT id, $2, session_id, $3, n % 50 + 1, kind, 'PostToolUse', tool, title, content, left(content, 200), tags, '{}', '{}', 'k' || n, length(content) / 4,
          to_tsvector('english', title || ' ' || left(content, 8000)), at FROM (${ROWS}) AS given WHERE type = 'observation'`,
  `INSERT INTO prompts (id, tenant_id, session_id, user_id, seq, type, content, sha256, tokens, search, occurred_at)
   SELECT id, $2, session_id, $3, n % 50 + 1, kind, content, sha256(convert_to(content, 'UTF8')), length(content) / 4, to_tsvector('english', content), at
     FROM (${ROWS}) AS given WHERE type = 'prompt'`,
  `INSERT INTO summaries (id, tenant_id, session_id, project_id, user_id, slot, type, kind, title, content, evidence, tags, files_read, files_modified, model, input_tokens, output_tokens, cost_usd, from_seq, to_seq, occurred_at)
   SELECT id, $2, session_id, project_id, $3, 'bench:' || n, 'item', kind, title, content, json_build_array(json_build_object('rowId', id))::jsonb, tags, '{}', '{}', 'bench', 1, 1, 0, 1, 2, at
     FROM (${ROWS}) AS given WHERE type = 'summary'`,
  `INSERT INTO learnings (id, tenant_id, project_id, user_id, session_id, fingerprint, category, title, description, tags, confidence, valid_from)
   SELECT id, $2, project_id, $3, session_id, convert_to(id::text, 'UTF8'), kind, title, content, tags, 0.7, at FROM (${ROWS}) AS given WHERE type = 'learning'`,
];

const LEDGER = `INSERT INTO embeddings (id, tenant_id, session_id, resource_type, resource_id, chunk, model, dimension, content_hash, object_id, state, indexed_at)
  SELECT e.id, $1, e.session_id, e.type, e.memory, 0, $2, $3, decode(e.hash, 'hex'), e.object, 'indexed', now()
    FROM unnest($4::uuid[], $5::uuid[], $6::text[], $7::uuid[], $8::text[], $9::uuid[]) AS e(id, session_id, type, memory, hash, object)`;

/** Writes the rows of memories and their ledger in the indexed state, in one transaction. */
async function writeRows(target: FillTarget, memories: readonly SpeedMemory[], first: number): Promise<void> {
  const { database, tenantId, userId, model, dimension } = target;
  const rows = JSON.stringify(
    memories.map(({ id, type, kind, tool, title, content, tags, occurredAt, session }, place) => ({
      id,
      type,
      kind,
      tool,
      title,
      content,
      tags,
      n: first + place,
      at: occurredAt,
      session_id: sessionId(session),
      project_id: projectId(session),
    })),
  );
  const ledger = [
    tenantId,
    model,
    dimension,
    memories.map(() => v7()),
    memories.map((memory) => sessionId(memory.session)),
    memories.map((memory) => memory.type),
    memories.map((memory) => memory.id),
    memories.map((memory) => createHash('sha256').update(memory.text).digest('hex')),
    memories.map((memory) => chunkObjectId(tenantId, asId<RowId>(memory.id), 0, model)),
  ];
  const client = await database.connect();
  try {
    await client.query('BEGIN');
    for (const insert of INSERTS) await client.query(insert, [rows, tenantId, userId]);
    await client.query(LEDGER, ledger);
    await client.query('COMMIT');
    client.release();
  } catch (error) {
    client.release(true);
    throw error;
  }
}

/** Returns a memory as the index step would write it. */
function memoryChunk({ tenantId, userId, model }: FillTarget, memory: SpeedMemory): IndexChunk {
  const { id, type, title, text, kind, tool, tags, occurredAt, vector, session } = memory;
  const own = {
    memoryId: id,
    memoryType: type,
    projectId: projectId(session),
    sessionId: sessionId(session),
    ownerId: type === 'observation' || type === 'prompt' ? userId : null,
  };
  return chunkOf(tenantId, { ...own, title, text, kind, tool, tags, occurredAt, vector }, model);
}

/** Writes memories to the index and PostgreSQL. @throws Error if the index rejects one */
export async function writeMemories(
  target: FillTarget,
  vectors: VectorIndex,
  memories: readonly SpeedMemory[],
  first: number,
): Promise<void> {
  const chunks = memories.map((memory) => memoryChunk(target, memory));
  // Vectors first: the sweep requests again what the ledger has as indexed and the index lacks.
  const refused = await vectors.upsert(target.tenantId, target.model, chunks);
  await writeRows(target, memories, first);
  if (refused[0] !== undefined) throw new Error(`the index refused ${refused.length}: ${refused[0].message}`);
}
