import type { Client } from '@temporalio/client';
import { expect } from 'vitest';
import { z } from 'zod';
import { asId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import { collectionName, VECTOR_NAME } from '../../../stores/weaviate/schema.ts';
import { createWeaviateIndex } from '../../../stores/weaviate/weaviate-index.ts';
import { sessionWorkflowId } from '../../../workflows/ids.ts';
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
  /** Published session summaries that reach to its last event. */
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

const ASK_AGAIN_MS = 500;

function isDone(end: SessionEnd): boolean {
  return end.status === 'ended' && end.phase === 'settled' && end.vectors_waiting === 0;
}

/** Awaits the end of all these sessions, then asserts what an end is: all taken in, no window open, one summary of all of it, every vector. */
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
      // The question is not for nothing where a thousand sessions are asked about.
      await new Promise((resolve) => setTimeout(resolve, ASK_AGAIN_MS));
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
  const whole = {
    status: 'ended',
    phase: 'settled',
    consumed: true,
    windows_open: 0,
    summaries: 1,
    vectors_waiting: 0,
  };
  for (const end of last) expect(end, `the end of ${end.external_id}`).toMatchObject(whole);
  return last;
}

const RUNNING_ENDS_MS = 60_000;

async function statusesOf(client: Client, query: string): Promise<{ id: string; type: string; status: string }[]> {
  const found = [];
  for await (const { workflowId, type, status } of client.workflow.list({ query }))
    found.push({ id: workflowId, type, status: status.name });
  return found;
}

/** Asserts that no run of any workflow ended badly, and that the workflows of these sessions completed. */
export async function expectNoFailedWorkflow(instance: Inside, sessions: readonly SessionEnd[]): Promise<void> {
  await instance.withTemporal(async (client) => {
    const bad = "ExecutionStatus IN ('Failed', 'Terminated', 'TimedOut', 'Canceled')";
    expect(await statusesOf(client, bad), 'workflows that ended badly').toEqual([]);
    const own = new Set(sessions.map((session) => sessionWorkflowId(session.tenant_id, session.id)));
    // Visibility is written a moment after the run has ended.
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

/** Every object of a tenant, as the server lists them. */
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

/** One answer of the index holds at most this many; all objects of a tenant must be fewer. */
const MAX_ANSWER = 10_000;
/** For two sweeps, and for what they find to be embedded again. */
const SWEEP_MS = 180_000;
/** For the queue of vectors to be worked off. */
const QUEUE_MS = 60_000;
const NEAR_ITSELF = 500;

/**
 * Asserts that the ledger has nothing left to do and that Weaviate holds exactly the ledger's objects, each with its vector, and
 * each to be found by it.
 */
export async function expectEveryVector(instance: Inside): Promise<{ readonly vectors: number }> {
  const readLedger = () =>
    instance.query<LedgerRow>(
      "SELECT tenant_id, model, dimension, state, object_id, resource_type || ' ' || resource_id || ' ' || chunk AS chunk_of, indexed_at FROM embeddings",
    );
  const read = async () => {
    const ledger = await readLedger();
    const [first] = ledger;
    if (first === undefined) throw new Error('the ledger asks for no vector at all');
    const objects = await objectsOf(instance, collectionName('RecollectChunk', first.model), first.tenant_id);
    return { ledger, first, objects };
  };
  let { ledger, first, objects } = await read();
  // A killed server may have acknowledged what it had not written; the sweep finds that, and it is written again.
  for (
    const deadline = performance.now() + SWEEP_MS;
    performance.now() < deadline;
    { ledger, first, objects } = await read()
  ) {
    const ids = new Set(objects.map(({ id }) => id));
    if (ledger.every((row) => row.state === 'indexed' && ids.has(row.object_id))) break;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  expect(
    ledger.filter((row) => row.state !== 'indexed'),
    'vectors that the ledger waits for',
  ).toEqual([]);
  expect(new Set(ledger.map((row) => `${row.tenant_id} ${row.model}`)).size).toBe(1);

  const standing = new Set(objects.map(({ id }) => id));
  const asked = new Set(ledger.map((row) => row.object_id));
  expect(objects).toHaveLength(standing.size);
  expect(
    ledger.filter((row) => !standing.has(row.object_id)),
    'vectors that Weaviate took and does not have',
  ).toEqual([]);
  expect(
    objects.filter(({ id }) => !asked.has(id)).map(({ properties }) => properties),
    'objects that no ledger asks for',
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
      return new Set(hits.map((hit) => `${hit.memoryId} ${hit.chunk}`));
    };
    const nameOf = ({ properties }: StoredObject) => `${properties.memory_id} ${properties.chunk}`;
    const lostNow = async (): Promise<string[]> => {
      const everything = await near(objects[0]?.vectors[VECTOR_NAME] ?? [], MAX_ANSWER);
      const unseen = objects.filter((object) => !everything.has(nameOf(object)));
      const lost: string[] = [];
      // An approximate index may not walk to all of them from one place; from its own place each must be found.
      for (const object of unseen)
        if (!(await near(object.vectors[VECTOR_NAME], NEAR_ITSELF)).has(nameOf(object))) lost.push(nameOf(object));
      return lost;
    };
    // Vectors are indexed from a queue on disk, a moment after they were written, or after the server came back.
    let lost = await lostNow();
    for (const deadline = performance.now() + QUEUE_MS; lost.length > 0 && performance.now() < deadline;)
      lost = await lostNow();
    expect(lost, 'objects that their own vector does not find').toEqual([]);
  } finally {
    await index.close();
  }
  return { vectors: objects.length };
}
