import { randomUUID } from 'node:crypto';
import { v7 } from 'uuid';
import { idFloor } from '../../../../stores/postgres/retention/retention-groups.ts';
import type { TestDatabase, TestUser } from '../../../setup/database.ts';

const DAY_MS = 86_400_000;

export interface OldSession {
  readonly id: string;
  readonly prompts: readonly string[];
  readonly observations: readonly string[];
}

export interface OldSessionOptions {
  /** When its rows were captured. */
  readonly at: Date;
  readonly rows: number;
  readonly projectId?: string | null;
  readonly dataClass?: string;
  readonly status?: string;
  readonly content?: string;
}

/** A settled session of long ago: with each row its key and a vector, a name of the graph for the first, a summary, and a call of the model. */
export async function makeOldSession(
  { write }: Pick<TestDatabase, 'write'>,
  user: TestUser,
  {
    at,
    rows,
    projectId = null,
    dataClass = 'internal',
    status = 'ended',
    content = 'the build failed',
  }: OldSessionOptions,
): Promise<OldSession> {
  const id = v7({ msecs: at.getTime() });
  const { tenantId, userId } = user;
  const made = (n: number): string => v7({ msecs: at.getTime() + n });
  const prompts = Array.from({ length: rows }, (_, n) => made(n));
  const observations = Array.from({ length: rows }, (_, n) => made(n));
  await write(
    `INSERT INTO sessions (id, tenant_id, user_id, project_id, host, external_id, title, status, phase, started_at, last_event_at, ended_at, last_seq, consumed_seq, windowed_seq, prompt_count, observation_count, token_count)
     VALUES ($1::uuid, $2, $3, $4, 'test', $1::text, 'Mending the build', $5, 'settled', $6, $6, $6, $7::integer * 2 + 1, $7 * 2 + 1, $7 * 2 + 1, $7, $7, $7 * 20)`,
    [id, tenantId, userId, projectId, status, at, rows],
  );
  const given = [id, tenantId, userId, content, at, dataClass];
  await write(
    `INSERT INTO prompts (id, tenant_id, session_id, user_id, seq, type, content, sha256, tokens, occurred_at, created_at, data_class)
     SELECT v.id, $2, $1, $3, v.n, 'user', $4::text || v.n, sha256(convert_to($4::text || v.n, 'UTF8')), 10, $5, $5, $6 FROM unnest($7::uuid[]) WITH ORDINALITY AS v(id, n)`,
    [...given, prompts],
  );
  await write(
    `INSERT INTO observations (id, tenant_id, session_id, user_id, prompt_id, seq, type, event, title, content, preview, tags, files_read, files_modified, tokens, occurred_at, created_at, data_class, input, importance)
     SELECT v.id, $2, $1, $3, $8, cardinality($7::uuid[]) + v.n, 'info', 'observation', 'A note', $4::text || v.n, left($4::text, 10), '{a}', '{}', '{}', 10, $5, $5, $6, '{"n": 1.50, "none": null}', 0.7
       FROM unnest($7::uuid[]) WITH ORDINALITY AS v(id, n)`,
    [...given, observations, prompts[0]],
  );
  await write(
    `INSERT INTO boundaries (session_id, seq, id, tenant_id, kind, occurred_at) VALUES ($1, $3::integer * 2 + 1, uuidv7(), $2, 'session_end', $4)`,
    [id, tenantId, rows, at],
  );
  await write(
    `INSERT INTO capture_keys (session_id, key, tenant_id, seq, kind, row_id)
     SELECT $1, kind || seq, $2, seq, kind, id FROM (
       SELECT 'prompt' AS kind, seq, id FROM prompts WHERE session_id = $1 UNION ALL SELECT 'observation', seq, id FROM observations WHERE session_id = $1
       UNION ALL SELECT 'boundary', seq, id FROM boundaries WHERE session_id = $1) AS k`,
    [id, tenantId],
  );
  await write(
    `INSERT INTO summaries (id, tenant_id, session_id, project_id, user_id, slot, type, title, content, model, input_tokens, output_tokens, cost_usd, from_seq, to_seq, occurred_at, created_at)
     VALUES ($1, $2, $3, $4, $5, 'session:1', 'session', 'How the linker was repaired', 'The linker wanted another flag.', 'local', 1, 1, 0.000001, 1, 2, $6, $6)`,
    [v7({ msecs: at.getTime() }), tenantId, id, projectId, userId, at],
  );
  await write(
    `INSERT INTO usage_ledger (id, tenant_id, user_id, session_id, operation, provider, model, input_tokens, output_tokens, tokens_cached, cost_usd, latency_ms, created_at)
     VALUES ($1, $2, $3, $4, 'summarise', 'local', 'm', 1, 1, 0, 0, 1, $5)`,
    [v7({ msecs: at.getTime() }), tenantId, userId, id, at],
  );
  await write(
    "INSERT INTO embedding_indexes (tenant_id, serving_model, serving_dimension) VALUES ($1, 'm', 3) ON CONFLICT DO NOTHING",
    [tenantId],
  );
  await write(
    `INSERT INTO embeddings (id, tenant_id, session_id, resource_type, resource_id, chunk, model, dimension, content_hash, object_id, state)
     SELECT uuidv7(), $1, $2, k.kind, k.row_id, 0, 'm', 3, sha256('t'), uuidv7(), 'indexed' FROM capture_keys k WHERE k.session_id = $2 AND k.kind <> 'boundary'`,
    [tenantId, id],
  );
  const entity = randomUUID();
  await write(
    `INSERT INTO entities (id, tenant_id, project_id, type, name, label, first_seen, last_seen, weight) VALUES ($1::uuid, $2, $3, 'file', $1::text, 'a.ts', now(), now(), 1)`,
    [entity, tenantId, projectId],
  );
  await write(
    `INSERT INTO entity_mentions (entity_id, session_id, source_id, source_type, tenant_id, occurred_at) VALUES ($1, $2, $3, 'observation', $4, $5)`,
    [entity, id, observations[0], tenantId, at],
  );
  return { id, prompts, observations };
}

/** The moment so many days ago. */
export function daysAgo(days: number): Date {
  return new Date(Date.now() - days * DAY_MS);
}

/** Creates a past month for the hot tables; returns its middle. */
export async function makeMonth(
  { owner }: Pick<TestDatabase, 'owner'>,
  monthsBack: number,
): Promise<{ month: string; middle: Date }> {
  const now = new Date();
  const start = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - monthsBack, 1));
  const end = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - monthsBack + 1, 1));
  const month = start.toISOString().slice(0, 7);
  for (const hot of ['prompts', 'observations', 'usage_ledger']) {
    const part = `${hot}_${month.replace('-', '_')}`;
    await owner.query(
      `CREATE TABLE IF NOT EXISTS ${part} PARTITION OF ${hot} FOR VALUES FROM ('${idFloor(start)}') TO ('${idFloor(end)}')`,
    );
  }
  return { month, middle: new Date((start.getTime() + end.getTime()) / 2) };
}
