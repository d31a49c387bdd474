import { randomUUID } from 'node:crypto';
import { MockActivityEnvironment } from '@temporalio/testing';
import { TypedSearchAttributes } from '@temporalio/common';
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createConsistencyActivities } from '../../../activities/consistency/create-consistency-activities.ts';
import { newId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import type { IndexChunk, VectorIndex } from '../../../domain/ports/vector-index.ts';
import { createWorkflowHints } from '../../../stores/temporal/hints.ts';
import { createRunningWorkflows } from '../../../stores/temporal/running-workflows.ts';
import { collectionName } from '../../../stores/weaviate/schema.ts';
import { createWeaviateIndex } from '../../../stores/weaviate/weaviate-index.ts';
import { DIVERGENCE_KINDS } from '../../../workflows/consistency/types.ts';
import type { CheckCounts, ConsistencyActivities, DivergenceKind } from '../../../workflows/consistency/types.ts';
import { ATTRIBUTES, workflowIdOf } from '../../../workflows/registry.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { finished } from '../../setup/demo-session.ts';
import { captured, smallSession } from '../../setup/small-session.ts';
import { until } from '../../setup/until.ts';
import { chunkOf } from '../../stores/weaviate/chunks.ts';

const PATIENCE_MS = 240_000;
/** Between the two reads of a difference, as in a worker: what is under way on a busy machine is no difference. */
const WORKER_SETTLE_MS = 2_000;

/** A small session with some more calls, so that each break has an observation of its own. */
function withCalls(events: ReturnType<typeof smallSession>, count: number) {
  const call = events.find((event) => 'tool' in event);
  const more = Array.from({ length: count }, (_, n) => ({
    ...call,
    tool: { name: 'Bash', input: { command: `npm run step-${n}` }, response: `step ${n}`, use_id: `more-${n}` },
  }));
  return [...events.slice(0, 2), ...more, ...events.slice(2)];
}

const instance = fileInstance();
let maintenance: pg.Pool;
let vectors: VectorIndex;
let activities: ConsistencyActivities;
let model: string;
let sessionId: string;

const sql = (text: string, ...values: unknown[]) => instance.write<Record<string, string>>(text, values);

/** One comparison, with a settling time that suits stores that stand next door. */
async function check(repair = false, details?: unknown, by = activities): Promise<CheckCounts> {
  const environment = new MockActivityEnvironment(details === undefined ? {} : { heartbeatDetails: details });
  const input = { tenantId: instance.admin.tenantId, checkId: newId(), repair };
  return environment.run(() => by.checkTenant(input));
}

const isQuiet = async () =>
  (
    await sql(
      "SELECT id FROM embeddings WHERE tenant_id = $1 AND state <> 'indexed' UNION ALL SELECT id FROM embedding_removals WHERE tenant_id = $1",
      instance.admin.tenantId,
    )
  ).length === 0;

function activitiesWith(settleMs: number): ConsistencyActivities {
  return createConsistencyActivities({
    database: instance.db.database,
    maintenance,
    vectors,
    hints: createWorkflowHints(instance.temporal, instance.config.session, {
      ...instance.config.model.batch,
      retryMs: 1_000,
    }),
    workflows: createRunningWorkflows(instance.temporal),
    repairs: true,
    settleMs,
  });
}

beforeAll(async () => {
  await instance.startWorker();
  maintenance = new pg.Pool({ connectionString: instance.db.url('maintenance'), max: 4 });
  vectors = createWeaviateIndex(instance.config.weaviate);
  activities = activitiesWith(100);
  await captured(instance, withCalls(smallSession('complete'), 4));
  await captured(instance, smallSession('open').slice(0, 4));
  ({ id: sessionId } = await finished(instance, 'test:complete', PATIENCE_MS));
  model = (await sql('SELECT serving_model FROM embedding_indexes'))[0]?.['serving_model'] ?? '';
  await until(async () => (await isQuiet()) || undefined, PATIENCE_MS);
}, 2 * PATIENCE_MS);
afterAll(async () => {
  await vectors.close();
  await maintenance.end();
});

/** Waits until nothing of the previous difference is in progress. */
afterEach(async () => {
  await until(async () => (await isQuiet()) || undefined, PATIENCE_MS);
});

/** The row of the ledger of an observation, by its place. */
async function indexedChunk(place: number) {
  const [row] = await sql(
    "SELECT * FROM embeddings WHERE resource_type = 'observation' AND chunk = 0 AND session_id = $1 ORDER BY resource_id LIMIT 1 OFFSET $2",
    sessionId,
    place,
  );
  return { objectId: row?.['object_id'] ?? '', memoryId: row?.['resource_id'] ?? '', id: row?.['id'] ?? '' };
}

/** A chunk of no memory. */
function foreign(own: Partial<IndexChunk>): IndexChunk {
  return chunkOf(tenantIdOf(), { text: 'Text of no memory', vector: new Float32Array(384).fill(0.05), ...own }, model);
}

const tenantIdOf = () => instance.admin.tenantId;

test('finds no difference after a session', async () => {
  const counts = await check();
  expect(counts.found).toEqual({});
  expect(counts.rows).toBeGreaterThan(10);
});

test('treats an unknown tenant or index in Weaviate as empty', async () => {
  for (const [tenantId, name] of [
    [newId<TenantId>(), model],
    [tenantIdOf(), 'no-such-index'],
  ] as const) {
    expect(await vectors.list(tenantId, name, null, 10)).toEqual([]);
    expect(await vectors.listed(tenantId, name, [randomUUID()])).toEqual([]);
    await vectors.removeObjects(tenantId, name, [randomUUID()]);
  }
});

/** Ways to create each kind of difference, and how many it creates. */
const BREAKS: readonly [name: string, kind: DivergenceKind, count: number, break_: () => Promise<unknown>][] = [
  [
    'an object that was lost',
    'missing',
    1,
    async () => vectors.removeObjects(tenantIdOf(), model, [(await indexedChunk(0)).objectId]),
  ],
  ['an unrequested object', 'orphaned', 1, () => vectors.upsert(tenantIdOf(), model, [foreign({})])],
  [
    'an object with other content',
    'stale',
    1,
    async () => vectors.upsert(tenantIdOf(), model, [foreign(await indexedChunk(1))]),
  ],
  [
    'a hash that is not the text’s',
    'stale',
    1,
    async () => sql("UPDATE embeddings SET content_hash = sha256('odd') WHERE id = $1", (await indexedChunk(2)).id),
  ],
  [
    'tags that changed past the ledger',
    'stale',
    1,
    async () => sql("UPDATE observations SET tags = '{other}' WHERE id = $1", (await indexedChunk(3)).memoryId),
  ],
  [
    'an object of another tenant',
    'wrong_tenant',
    1,
    async () => {
      const other = await instance.stranger();
      const memoryId = newId();
      await sql(
        `INSERT INTO embeddings (id, tenant_id, resource_type, resource_id, chunk, model, dimension, content_hash, object_id, state)
         VALUES ($1, $2, 'learning', $3, 0, 'elsewhere', 3, sha256('h'), $1, 'indexed')`,
        newId(),
        other.tenantId,
        memoryId,
      );
      await vectors.upsert(tenantIdOf(), model, [foreign({ memoryId })]);
    },
  ],
  [
    'a memory that the ledger does not have',
    'untracked',
    1,
    async () => {
      const { memoryId, objectId } = await indexedChunk(4);
      await sql('DELETE FROM embeddings WHERE resource_id = $1', memoryId);
      await vectors.removeObjects(tenantIdOf(), model, [objectId]);
    },
  ],
  [
    'an object of a missing memory',
    'memory_missing',
    1,
    async () =>
      // Of the agent: a user's prompt is part of every chunk that follows it.
      sql(
        "DELETE FROM prompts WHERE id = (SELECT id FROM prompts WHERE session_id = $1 AND type <> 'user' LIMIT 1)",
        sessionId,
      ),
  ],
  [
    'a vector that is not found',
    'unfindable',
    1,
    async () => {
      await sql("UPDATE embeddings SET indexed_at = now() - interval '1 hour'");
      const { objectId } = await indexedChunk(5);
      const [object] = await vectors.listed(tenantIdOf(), model, [objectId]);
      const { url, apiKey } = instance.config.weaviate;
      const named = { class: collectionName('RecollectChunk', model), tenant: tenantIdOf(), id: objectId };
      const properties = { ...object?.properties };
      await vectors.removeObjects(tenantIdOf(), model, [objectId]);
      const answer = await fetch(new URL('/v1/objects', url), {
        method: 'POST',
        headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
        body: JSON.stringify({ ...named, properties }),
      });
      expect(answer.status).toBe(200);
    },
  ],
  [
    'evidence that quotes a missing row',
    'dangling_evidence',
    4,
    async () => {
      const learning = newId();
      const { tenantId, userId } = instance.admin;
      // After a minute it would be one that the ledger does not have, too: a busy machine may take longer.
      await sql(
        `INSERT INTO learnings (id, tenant_id, user_id, fingerprint, category, title, description, confidence, valid_from, created_at)
         VALUES ($1::uuid, $2, $3, sha256(convert_to($1::uuid::text, 'UTF8')), 'pattern', 'Without evidence', '', 0.5, now(), now() + interval '1 hour')`,
        learning,
        tenantId,
        userId,
      );
      await sql(
        `INSERT INTO learning_evidence (learning_id, row_id, quote_sha256, tenant_id, session_id, quote) VALUES ($1, $2, sha256('q'), $3, $4, 'q')`,
        learning,
        newId(),
        tenantId,
        sessionId,
      );
      await sql(
        `WITH e AS (INSERT INTO entities (id, tenant_id, type, name, label, first_seen, last_seen)
                    VALUES ($1::uuid, $3::uuid, 'file', $1::uuid::text, 'a', now(), now()), ($2::uuid, $3::uuid, 'file', $2::uuid::text, 'b', now(), now()) RETURNING id),
              r AS (INSERT INTO relations (id, tenant_id, from_id, to_id, type, first_seen, last_seen) VALUES ($1::uuid, $3::uuid, $1::uuid, $2::uuid, 'uses', now(), now()) RETURNING id),
              m AS (INSERT INTO entity_mentions (entity_id, session_id, source_id, source_type, tenant_id, occurred_at) SELECT $1::uuid, $4::uuid, $5::uuid, 'observation', $3::uuid, now() FROM e LIMIT 1)
         INSERT INTO relation_evidence (relation_id, session_id, source_id, source_type, tenant_id, occurred_at) SELECT id, $4::uuid, $5::uuid, 'observation', $3::uuid, now() FROM r`,
        newId(),
        newId(),
        tenantId,
        sessionId,
        newId(),
      );
      await sql(
        `UPDATE summaries SET evidence = evidence || jsonb_build_array(jsonb_build_object('rowId', $1::text, 'quote', 'q')) WHERE id = (SELECT id FROM summaries LIMIT 1)`,
        newId(),
      );
    },
  ],
  [
    'a session with wrong counts',
    'wrong_count',
    1,
    () => sql('UPDATE sessions SET observation_count = observation_count + 5 WHERE id = $1', sessionId),
  ],
  [
    'a session whose workflow was ended',
    'session_without_workflow',
    1,
    async () => {
      const [open] = await sql("SELECT id FROM sessions WHERE external_id = 'open'");
      const handle = instance.temporal.workflow.getHandle(workflowIdOf('session', tenantIdOf(), open?.['id'] ?? ''));
      await handle.terminate('a test');
      await until(async () => ((await handle.describe()).status.name === 'RUNNING' ? undefined : true), PATIENCE_MS);
      await sql(
        "UPDATE sessions SET last_event_at = now() - interval '5 minutes', updated_at = now() - interval '5 minutes' WHERE external_id = 'open'",
      );
    },
  ],
  [
    'workflows of missing sessions',
    'workflow_without_row',
    2,
    async () => {
      const typedSearchAttributes = new TypedSearchAttributes([{ key: ATTRIBUTES.tenant, value: tenantIdOf() }]);
      for (const kind of ['session', 'learning'] as const)
        await instance.temporal.workflow.start('session', {
          workflowId: workflowIdOf(kind, tenantIdOf(), newId()),
          taskQueue: 'unserved',
          typedSearchAttributes,
        });
      const workflows = createRunningWorkflows(instance.temporal);
      await until(async () => {
        let listed = 0;
        for (const prefix of [workflowIdOf('session', tenantIdOf(), ''), workflowIdOf('learning', tenantIdOf(), '')])
          for await (const page of workflows.list(prefix)) listed += page.length;
        return listed >= 2 ? true : undefined;
      }, PATIENCE_MS);
    },
  ],
];

/** Differences created together: each is found beside the others, and nothing else is. */
const TOGETHER: readonly [of: string, kinds: readonly DivergenceKind[]][] = [
  ['the index', ['missing', 'orphaned', 'stale', 'wrong_tenant', 'untracked', 'memory_missing', 'unfindable']],
  ['rows', ['dangling_evidence', 'wrong_count']],
  ['workflows', ['session_without_workflow', 'workflow_without_row']],
];

describe('finds, counts and repairs differences, then finds none', { timeout: PATIENCE_MS }, () => {
  test('covers every kind', () => {
    expect(new Set(BREAKS.map(([, kind]) => kind))).toEqual(new Set(DIVERGENCE_KINDS));
    expect(TOGETHER.flatMap(([, kinds]) => kinds).toSorted()).toEqual([...DIVERGENCE_KINDS].toSorted());
  });

  test.each(TOGETHER)('of %s', async (_of, kinds) => {
    const broken: Partial<Record<DivergenceKind, number>> = {};
    for (const [, kind, count, break_] of BREAKS.filter((one) => kinds.includes(one[1]))) {
      await break_();
      broken[kind] = (broken[kind] ?? 0) + count;
    }
    const seen = await check();
    expect(seen.found).toEqual(broken);
    expect(seen.repaired).toEqual({});
    const repairing = await check(true);
    expect(repairing.found).toEqual(broken);
    expect(repairing.repaired).toEqual(broken);
    await until(async () => (await isQuiet()) || undefined, PATIENCE_MS);
    expect((await check()).found).toEqual({});
  });
});

test('ignores objects that wait for their removal', async () => {
  const memoryId = newId();
  const chunk = foreign({ memoryId });
  await sql(
    'INSERT INTO embedding_removals (tenant_id, resource_id, id, model, object_id) VALUES ($1, $2, $3, $4, $5)',
    tenantIdOf(),
    memoryId,
    newId(),
    model,
    chunk.objectId,
  );
  await vectors.upsert(tenantIdOf(), model, [chunk]);
  expect((await check()).found).toEqual({});
  await sql('DELETE FROM embedding_removals WHERE resource_id = $1', memoryId);
  expect((await check()).found).toEqual({ orphaned: 1 });
  await vectors.removeObjects(tenantIdOf(), model, [chunk.objectId]);
});

test('ignores quotes and counts of archived sessions', async () => {
  const { tenantId, userId } = instance.admin;
  const id = newId();
  await sql(
    `INSERT INTO archives (id, tenant_id, session_id, user_id, title, heads, started_at, ended_at, counts, object_key, object_bytes, object_sha256, lines_sha256)
     VALUES ($1, $2, $3, $4, '', '', now(), now(), '{}', 'k', 1, '', '')`,
    id,
    tenantId,
    sessionId,
    userId,
  );
  await sql(
    `UPDATE summaries SET evidence = evidence || jsonb_build_array(jsonb_build_object('rowId', $1::text, 'quote', 'q')) WHERE id = (SELECT id FROM summaries WHERE session_id = $2 LIMIT 1)`,
    id,
    sessionId,
  );
  await sql('UPDATE sessions SET observation_count = observation_count + 5 WHERE id = $1', sessionId);
  expect((await check(true)).found).toEqual({});
  await sql('DELETE FROM archives WHERE id = $1', id);
  expect((await check(true)).repaired).toEqual({ dangling_evidence: 1, wrong_count: 1 });
});

test('finds no difference during captures', { timeout: PATIENCE_MS }, async () => {
  const capturing = captured(instance, smallSession('live'));
  const ended = capturing.then(() => finished(instance, 'test:live', PATIENCE_MS));
  const found: CheckCounts['found'][] = [];
  let isOver = false;
  const watching = ended.finally(() => {
    isOver = true;
  });
  const patient = activitiesWith(WORKER_SETTLE_MS);
  do found.push((await check(true, undefined, patient)).found);
  while (!isOver || found.length < 3);
  await watching;
  for (const counts of found) expect(counts).toEqual({});
});

test('resumes from heartbeat details with their counts', async () => {
  const complete = await check();
  const [last] = await sql(
    'SELECT object_id FROM embeddings WHERE tenant_id = $1 ORDER BY object_id DESC LIMIT 1',
    tenantIdOf(),
  );
  const counts = { rows: 1_000, found: { missing: 3 }, repaired: { missing: 3 } };
  const nothing = { rows: 0, found: {}, repaired: {} };
  const rows = { isDone: false, counts: nothing };
  const resumed = await check(true, { scanned: [], model, after: last?.['object_id'] ?? '', counts, rows });
  expect(resumed.found).toEqual({ missing: 3 });
  const rest = await check(true, { scanned: [model], model: null, after: null, counts, rows });
  expect(rest.rows).toBe(resumed.rows);
  expect(rest.rows - 1_000).toBeLessThan(complete.rows);
  // Repaired rows are not found again but remain counted; unrepaired ones are found again.
  const earlier = { rows: 7, found: { untracked: 5, wrong_count: 2 }, repaired: { untracked: 4 } };
  const scanned = { scanned: [model], model: null, after: null, counts };
  expect(await check(true, { ...scanned, rows: { isDone: false, counts: earlier } })).toMatchObject({
    found: { missing: 3, untracked: 4 },
    repaired: { missing: 3, untracked: 4 },
  });
  expect(await check(true, { ...scanned, rows: { isDone: true, counts: earlier } })).toEqual({
    rows: 1_007,
    found: { missing: 3, untracked: 5, wrong_count: 2 },
    repaired: { missing: 3, untracked: 4 },
  });
  // Details of another build are ignored.
  expect((await check(true, { odd: true })).rows).toBe(complete.rows);
});

test('ends a cancelled check and records it', async () => {
  const environment = new MockActivityEnvironment();
  const input = { tenantId: tenantIdOf(), checkId: newId(), repair: true };
  environment.cancel();
  await expect(environment.run(() => activities.checkTenant(input))).rejects.toBeInstanceOf(Error);
  await activities.closeCheck({ tenantId: tenantIdOf(), checkId: input.checkId, state: 'cancelled', error: null });
  const [row] = await sql('SELECT state FROM consistency_checks WHERE id = $1', input.checkId);
  expect(row).toEqual({ state: 'cancelled' });
});
