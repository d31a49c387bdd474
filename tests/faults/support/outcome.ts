import type { Client } from '@temporalio/client';
import { expect } from 'vitest';
import { z } from 'zod';
import { asId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import { collectionName, VECTOR_NAME } from '../../../stores/weaviate/schema.ts';
import { createWeaviateIndex } from '../../../stores/weaviate/weaviate-index.ts';
import { workflowIdOf } from '../../../workflows/registry.ts';
import { until } from '../../setup/until.ts';
import type { FaultInstance } from './fault-instance.ts';

export type Inside = Pick<FaultInstance, 'query' | 'withTemporal' | 'weaviate'>;

interface SessionEnd {
  readonly id: string;
  readonly tenant_id: string;
  readonly external_id: string;
  readonly status: string;
  readonly phase: string;
  readonly waiting_reason: string | null;
  readonly last_error: string | null;
  readonly consumed: boolean;
  readonly windows_open: number;
  /** Published session summaries up to its last event. */
  readonly summaries: number;
  readonly vectors_waiting: number;
}

function ends(instance: Inside, externalIds: readonly string[]): Promise<SessionEnd[]> {
  return instance.query<SessionEnd>(
    `SELECT s.id, s.tenant_id, s.external_id, s.status, s.phase, s.waiting_reason, s.last_error, s.last_seq = s.consumed_seq AS consumed,
            (SELECT count(*) FROM windows w WHERE w.session_id = s.id AND w.state <> 'summarised')::integer AS windows_open,
            (SELECT count(*) FROM summaries m WHERE m.session_id = s.id AND m.type = 'session' AND m.published AND m.to_seq = s.last_seq)::integer AS summaries,
            (SELECT count(*) FROM embeddings e WHERE e.session_id = s.id AND e.state <> 'indexed')::integer AS vectors_waiting
       FROM sessions s WHERE s.external_id = ANY ($1) ORDER BY s.external_id`,
    [externalIds],
  );
}

const POLL_MS = 500;

function isDone(end: SessionEnd): boolean {
  return end.status === 'ended' && end.phase === 'settled' && end.vectors_waiting === 0;
}

/** Waits for the end of these sessions, then asserts that each is consumed, has no open window, one complete summary and all vectors. */
export async function expectEnded(
  instance: Inside,
  externalIds: readonly string[],
  timeoutMs: number,
): Promise<SessionEnd[]> {
  let last: SessionEnd[] = [];
  await until(
    async () => {
      last = await ends(instance, externalIds);
      if (last.length === externalIds.length && last.every(isDone)) return true;
      // The query is expensive with a thousand sessions.
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      return undefined;
    },
    timeoutMs,
    'the end of every session',
  ).catch((error: unknown) => {
    const open = last.filter((end) => !isDone(end));
    throw new Error(
      `${open.length} of ${externalIds.length} sessions did not end: ${JSON.stringify(open.slice(0, 5))}`,
      {
        cause: error,
      },
    );
  });
  const settled = {
    status: 'ended',
    phase: 'settled',
    consumed: true,
    windows_open: 0,
    summaries: 1,
    vectors_waiting: 0,
  };
  for (const end of last) expect(end, `the end of ${end.external_id}`).toMatchObject(settled);
  return last;
}

const RUNNING_ENDS_MS = 60_000;

async function statusesOf(client: Client, query: string): Promise<{ id: string; type: string; status: string }[]> {
  const found = [];
  for await (const { workflowId, type, status } of client.workflow.list({ query }))
    found.push({ id: workflowId, type, status: status.name });
  return found;
}

/** Asserts that no workflow run failed, and that the workflows of these sessions completed. */
export async function expectNoFailedWorkflow(instance: Inside, sessions: readonly SessionEnd[]): Promise<void> {
  await instance.withTemporal(async (client) => {
    const bad = "ExecutionStatus IN ('Failed', 'Terminated', 'TimedOut', 'Canceled')";
    expect(await statusesOf(client, bad), 'workflows that did not complete').toEqual([]);
    const own = new Set(sessions.map((session) => workflowIdOf('session', session.tenant_id, session.id)));
    // Temporal updates its visibility shortly after a run ends.
    await until(
      async () => {
        const running = await statusesOf(client, "ExecutionStatus = 'Running' AND WorkflowType = 'session'");
        return running.some(({ id }) => own.has(id)) ? undefined : true;
      },
      RUNNING_ENDS_MS,
      'the end of the workflows of ended sessions',
    );
    const completed = await statusesOf(client, "ExecutionStatus = 'Completed' AND WorkflowType = 'session'");
    const ended = new Set(completed.map(({ id }) => id));
    expect(
      [...own].filter((id) => !ended.has(id)),
      'sessions without a completed workflow',
    ).toEqual([]);
  });
}

const PAGE = 500;
const objectsPage = z.object({
  objects: z.array(
    z.object({
      id: z.string(),
      properties: z.object({ memory_id: z.string(), chunk: z.number() }),
      vectors: z.object({ [VECTOR_NAME]: z.array(z.number()) }),
    }),
  ),
});
export type StoredObject = z.output<typeof objectsPage>['objects'][number];

/** Returns every object of a tenant. */
export async function objectsOf({ weaviate }: Inside, collection: string, tenant: string): Promise<StoredObject[]> {
  const found: StoredObject[] = [];
  for (;;) {
    const after = found.at(-1)?.id;
    const query = new URLSearchParams({ class: collection, tenant, limit: String(PAGE), include: 'vector' });
    if (after !== undefined) query.set('after', after);
    const response = await fetch(`${weaviate.url}/v1/objects?${query.toString()}`, {
      headers: { authorization: `Bearer ${weaviate.apiKey}` },
    });
    const { objects } = objectsPage.parse(await response.json());
    found.push(...objects);
    if (objects.length < PAGE) return found;
  }
}

interface LedgerRow {
  readonly tenant_id: string;
  readonly model: string;
  readonly dimension: number;
  readonly state: string;
  readonly object_id: string;
  readonly chunk_of: string;
  readonly indexed_at: Date | null;
}

/** Most objects in one response of the index; a tenant must have fewer. */
const MAX_HITS = 10_000;
/** Time for two sweeps and for embedding what they find. */
const SWEEP_MS = 180_000;
/** Time for Weaviate to process its vector queue. */
const QUEUE_MS = 60_000;
const NEAR_ITSELF = 500;

/** Asserts that the ledger is done and that Weaviate contains exactly its objects, each found by its own vector. */
export async function expectEveryVector(instance: Inside): Promise<{ readonly vectors: number }> {
  const readLedger = () =>
    instance.query<LedgerRow>(
      "SELECT tenant_id, model, dimension, state, object_id, resource_type || ' ' || resource_id || ' ' || chunk AS chunk_of, indexed_at FROM embeddings",
    );
  const read = async () => {
    const ledger = await readLedger();
    const [first] = ledger;
    if (first === undefined) throw new Error('the ledger requests no vectors');
    const objects = await objectsOf(instance, collectionName('RecollectChunk', first.model), first.tenant_id);
    return { ledger, first, objects };
  };
  let { ledger, first, objects } = await read();
  // A killed server may have acknowledged unwritten objects; the sweep finds them, and they are written again.
  for (
    const deadline = performance.now() + SWEEP_MS;
    performance.now() < deadline;
    { ledger, first, objects } = await read()
  ) {
    const ids = new Set(objects.map(({ id }) => id));
    if (ledger.every((row) => row.state === 'indexed' && ids.has(row.object_id)) && ids.size === ledger.length) break;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  expect(
    ledger.filter((row) => row.state !== 'indexed'),
    'vectors that the ledger waits for',
  ).toEqual([]);
  expect(new Set(ledger.map((row) => `${row.tenant_id} ${row.model}`)).size).toBe(1);

  const present = new Set(objects.map(({ id }) => id));
  const requested = new Set(ledger.map((row) => row.object_id));
  expect(objects).toHaveLength(present.size);
  expect(
    ledger.filter((row) => !present.has(row.object_id)),
    'vectors that Weaviate accepted and does not have',
  ).toEqual([]);
  expect(
    objects.filter(({ id }) => !requested.has(id)).map(({ properties }) => properties),
    'objects that are not in the ledger',
  ).toEqual([]);
  expect(objects.filter(({ vectors }) => vectors[VECTOR_NAME].length !== first.dimension)).toEqual([]);

  const index = createWeaviateIndex({ ...instance.weaviate });
  try {
    const near = async (vector: readonly number[], limit: number): Promise<Set<string>> => {
      const hits = await index.nearest(
        asId<TenantId>(first.tenant_id),
        first.model,
        Float32Array.from(vector),
        {},
        limit,
      );
      return new Set(hits.map((hit) => hit.objectId));
    };
    const nameOf = ({ properties }: StoredObject) => `${properties.memory_id} ${properties.chunk}`;
    const lostNow = async (): Promise<string[]> => {
      const everything = await near(objects[0]?.vectors[VECTOR_NAME] ?? [], MAX_HITS);
      const unseen = objects.filter((object) => !everything.has(object.id));
      const lost: string[] = [];
      // An approximate search from one vector may miss some; each must be found by its own vector.
      for (const object of unseen)
        if (!(await near(object.vectors[VECTOR_NAME], NEAR_ITSELF)).has(object.id)) lost.push(nameOf(object));
      return lost;
    };
    // Weaviate indexes vectors from a queue on disk, shortly after the write or its restart.
    let lost = await lostNow();
    for (const deadline = performance.now() + QUEUE_MS; lost.length > 0 && performance.now() < deadline;)
      lost = await lostNow();
    expect(lost, 'objects that their own vector does not find').toEqual([]);
  } finally {
    await index.close();
  }
  return { vectors: objects.length };
}
