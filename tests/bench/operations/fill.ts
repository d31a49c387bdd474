import type pg from 'pg';
import { v7 } from 'uuid';
import { z } from 'zod';
import { chunkText } from '../../../domain/chunking.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { VectorIndex } from '../../../domain/ports/vector-index.ts';
import { randomFrom } from '../../domain/support/random.ts';
import { chunkOf } from '../../stores/weaviate/chunks.ts';
import type { SpeedCorpus } from '../recall/speed-corpus.ts';

/** The content of an instance: number of observations and of vectors, and their owner. */
export interface InstanceFill {
  readonly database: pg.Pool;
  readonly tenantId: TenantId;
  readonly userId: string;
  readonly model: string;
  readonly dimension: number;
  readonly observations: number;
  readonly vectors: number;
  /** Distinct texts; default: the bench's 20,000. */
  readonly texts?: number;
}

const SESSION_ROWS = 50;
const CONTENT_CHARS = 1_000;
const TEXTS = 20_000;
const PART = 1_000;
const PROJECTS = 12;

/** Returns a memory with a text of 1 KB, one chunk long. */
function textOf(corpus: SpeedCorpus, n: number, anchorVectors: readonly Float32Array[]) {
  const memory = corpus.memory(n, anchorVectors);
  const text = `${memory.text}\n${memory.text}\n${memory.text}`.slice(0, CONTENT_CHARS - 20).trim();
  return { ...memory, text };
}

/** Returns the start of the previous month, UTC. */
export function monthBefore(): Date {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1));
}

/** Returns SQL for a deterministic id from a name and a number; version 7, which the API accepts. */
function idSql(name: string, n: string): string {
  return `overlay(overlay(md5('${name} ' || ${n}) PLACING '7' FROM 13) PLACING '8' FROM 17)::uuid`;
}

async function writeFrame({ database, tenantId, userId, observations }: InstanceFill): Promise<void> {
  const month = monthBefore().toISOString();
  await database.query(
    `INSERT INTO projects (id, tenant_id, display_name)
     SELECT ${idSql('keep project', 'p')}, $1, 'keep-' || p FROM generate_series(0, ${PROJECTS - 1}) p ON CONFLICT DO NOTHING`,
    [tenantId],
  );
  await database.query(
    `INSERT INTO sessions (id, tenant_id, user_id, project_id, host, external_id, title, status, phase, observation_count, token_count, last_seq, consumed_seq,
                           windowed_seq, learned_seq, started_at, last_event_at, ended_at)
     SELECT ${idSql('keep session', 's')}, $1, $2, ${idSql('keep project', `s % ${PROJECTS}`)}, 'bench', 'keep-' || s, 'Session ' || s, 'ended', 'settled',
            ${SESSION_ROWS}, ${SESSION_ROWS * 250}, ${SESSION_ROWS}, ${SESSION_ROWS}, ${SESSION_ROWS}, ${SESSION_ROWS}, $3::timestamptz, $3::timestamptz + interval '1 hour', $3::timestamptz + interval '1 hour'
       FROM generate_series(0, $4::integer - 1) s ON CONFLICT DO NOTHING`,
    [tenantId, userId, month, Math.ceil(observations / SESSION_ROWS)],
  );
}

/** Writes observations `from`–`to` of 1 KB in the previous month, with their keys; texts come from `bench_texts`. */
async function writeObservations(
  { database, tenantId, userId, texts = TEXTS }: InstanceFill,
  from: number,
  to: number,
): Promise<void> {
  await database.query(
    `WITH given AS (
       SELECT n, ${idSql('keep session', `n / ${SESSION_ROWS}`)} AS session_id, $3::timestamptz + n * interval '1 second' AS at, t.title, t.content || ' n' || n AS content, t.tags,
              setweight(t.search, 'D') || to_tsvector('simple', 'n' || n) AS search,
              (lpad(to_hex((extract(epoch FROM $3::timestamptz) * 1000)::bigint + n * 1000), 12, '0') || '7' || substr(md5('keep' || n), 1, 3) || '8' || substr(md5('keep' || n), 4, 15))::uuid AS id
         FROM generate_series($4::integer, $5::integer - 1) n JOIN bench_texts t ON t.place = n % ${texts}),
     keys AS (INSERT INTO capture_keys (session_id, key, tenant_id, seq, kind, row_id)
       SELECT session_id, 'k' || n, $1, n % ${SESSION_ROWS} + 1, 'observation', id FROM given)
     INSERT INTO observations (id, tenant_id, session_id, user_id, seq, type, event, tool, title, content, preview, tags, files_read, files_modified, key, tokens, search, occurred_at, created_at)
     SELECT id, $1, session_id, $2, n % ${SESSION_ROWS} + 1, 'tool_result', 'PostToolUse', 'Bash', title, content, left(content, 200), tags, '{}', '{}', 'k' || n, 250, search, at, at FROM given`,
    [tenantId, userId, monthBefore().toISOString(), from, to],
  );
}

const textRow = z.object({
  id: z.string(),
  n: z.coerce.number(),
  session_id: z.string(),
  title: z.string(),
  content: z.string(),
  at: z.date(),
  project_id: z.string(),
});
type StoredRow = z.output<typeof textRow>;

async function readRows({ database }: InstanceFill, from: number, to: number): Promise<StoredRow[]> {
  const { rows } = await database.query(
    `SELECT o.id, substr(o.key, 2)::integer AS n, o.session_id, o.title, o.content, o.occurred_at AS at, s.project_id FROM observations o JOIN sessions s ON s.id = o.session_id
      WHERE o.session_id = ANY (SELECT ${idSql('keep session', 's')} FROM generate_series($1::integer / ${SESSION_ROWS}, ($2::integer - 1) / ${SESSION_ROWS}) s) ORDER BY o.id`,
    [from, to],
  );
  return z.array(textRow).parse(rows);
}

/** Writes ledger and index objects of rows. */
async function writeVectors(
  fill: InstanceFill,
  index: VectorIndex,
  corpus: SpeedCorpus,
  anchorVectors: readonly Float32Array[],
  rows: readonly StoredRow[],
): Promise<void> {
  const { database, tenantId, userId, model, dimension, texts = TEXTS } = fill;
  const chunks = rows.flatMap((row) => {
    const { vector, tags } = corpus.memory(row.n % texts, anchorVectors);
    // Noise beside the text's vector: no two rows have the same vector.
    const random = randomFrom(row.n + 17);
    const own = vector.map((value) => value + (random() - 0.5) * 0.03);
    const length = Math.hypot(...own);
    return chunkText(row.title, row.content).map((chunk) => ({
      hash: chunk.contentHash.toString('hex'),
      chunk: chunkOf(
        tenantId,
        {
          memoryId: row.id,
          chunk: chunk.n,
          title: row.title,
          text: chunk.text,
          projectId: row.project_id,
          sessionId: row.session_id,
          ownerId: userId,
          kind: 'tool_result',
          tool: 'Bash',
          tags,
          occurredAt: row.at.toISOString(),
          vector: own.map((value) => value / length),
        },
        model,
      ),
    }));
  });
  const refused = await index.upsert(
    tenantId,
    model,
    chunks.map(({ chunk }) => chunk),
  );
  if (refused[0] !== undefined) throw new Error(`the index rejected ${refused.length}: ${refused[0].message}`);
  await database.query(
    `INSERT INTO embeddings (id, tenant_id, session_id, resource_type, resource_id, chunk, model, dimension, content_hash, object_id, state, indexed_at)
     SELECT e.id, $1, e.session_id, 'observation', e.memory, e.chunk, $2, $3, decode(e.hash, 'hex'), e.object, 'indexed', now() - interval '1 hour'
       FROM unnest($4::uuid[], $5::uuid[], $6::uuid[], $7::integer[], $8::text[], $9::uuid[]) AS e(id, session_id, memory, chunk, hash, object) ON CONFLICT DO NOTHING`,
    [
      tenantId,
      model,
      dimension,
      chunks.map(() => v7()),
      chunks.map(({ chunk }) => chunk.sessionId),
      chunks.map(({ chunk }) => chunk.memoryId),
      chunks.map(({ chunk }) => chunk.chunk),
      chunks.map(({ hash }) => hash),
      chunks.map(({ chunk }) => chunk.objectId),
    ],
  );
}

/** Marks rows without a vector as failed in the ledger, so that nothing embeds them during a measurement. */
async function writeGivenUp({ database, tenantId, model, dimension }: InstanceFill): Promise<void> {
  await database.query(
    `INSERT INTO embeddings (id, tenant_id, session_id, resource_type, resource_id, chunk, model, dimension, content_hash, object_id, state, attempts, error, failed_at)
     SELECT (left(o.id::text, 14) || '7' || substr(o.id::text, 16))::uuid, $1, o.session_id, 'observation', o.id, 0, $2, $3,
            sha256(convert_to(o.title, 'UTF8') || '\\x00'::bytea || convert_to(o.content, 'UTF8')), ${idSql('object', 'o.id')}, 'failed', 8, 'bench', now()
       FROM observations o WHERE o.tenant_id = $1 AND NOT EXISTS (SELECT FROM embeddings e WHERE e.resource_id = o.id)
     ON CONFLICT DO NOTHING`,
    [tenantId, model, dimension],
  );
}

/** Fills an instance, continuing an earlier fill; `say` receives the progress. */
export async function fillInstance(
  fill: InstanceFill,
  index: VectorIndex,
  corpus: SpeedCorpus,
  embed: (texts: readonly string[]) => Promise<readonly Float32Array[]>,
  say: (text: string) => void,
): Promise<void> {
  const { database, tenantId, observations, vectors, model, dimension, texts = TEXTS } = fill;
  const count = async (sql: string): Promise<number> =>
    z.tuple([z.object({ count: z.coerce.number() })]).parse((await database.query(sql)).rows)[0].count;
  if ((await count(`SELECT count(*) FROM embeddings`)) >= observations) return;
  await writeFrame(fill);
  const anchorVectors = await embed(corpus.anchors);
  const stored = await count('SELECT count(*) FROM observations');
  if (stored < observations) {
    await database.query('DROP TABLE IF EXISTS bench_texts');
    await database.query(
      'CREATE TABLE bench_texts (place integer PRIMARY KEY, title text, content text, tags text[], search tsvector)',
    );
    for (let first = 0; first < texts; first += PART) {
      const written = Array.from({ length: Math.min(PART, texts - first) }, (_, n) => ({
        place: first + n,
        ...textOf(corpus, first + n, anchorVectors),
      }));
      await database.query(
        `INSERT INTO bench_texts SELECT t.place, t.title, t.text, t.tags, to_tsvector('english', t.title || ' ' || t.text)
           FROM json_to_recordset($1::json) AS t(place integer, title text, text text, tags text[])`,
        [JSON.stringify(written.map(({ place, title, text, tags }) => ({ place, title, text, tags })))],
      );
    }
    for (let from = stored; from < observations; from += 10 * PART) {
      await writeObservations(fill, from, Math.min(observations, from + 10 * PART));
      if (from % 100_000 === 0) say(`${from} observations`);
    }
    await database.query('DROP TABLE bench_texts');
  }
  await index.ensureCollection(model, dimension);
  await database.query(
    `INSERT INTO embedding_indexes (tenant_id, serving_model, serving_dimension) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
    [tenantId, model, dimension],
  );
  const indexed = await count("SELECT count(DISTINCT session_id) FROM embeddings WHERE state = 'indexed'");
  for (let from = indexed * SESSION_ROWS; from < vectors; from += PART) {
    await writeVectors(fill, index, corpus, anchorVectors, await readRows(fill, from, from + PART));
    if (from % 10_000 === 0) say(`${from} vectors`);
  }
  await writeGivenUp(fill);
  await database.query('VACUUM ANALYZE');
}
