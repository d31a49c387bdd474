import { z } from 'zod';
import type { BenchInstance } from '../capture/bench-instance.ts';
import { awaitQueue } from './speed-weaviate.ts';

const found = z.looseObject({
  id: z.string(),
  type: z.string(),
  key: z.string().nullable(),
  sources: z.array(z.string()),
  session: z.looseObject({ external_id: z.string() }).nullable(),
});
const answer = z.looseObject({ data: z.array(found), degraded: z.array(z.string()) });
const countRow = z.tuple([z.object({ count: z.coerce.number() })]);

export type FoundByApi = z.output<typeof found>;

/** Returns the response of `GET /search`. @throws Error if other parts than `unavailable` are degraded: the figures would be invalid */
export async function searchByApi(
  { url, key }: BenchInstance,
  parameters: Readonly<Record<string, string>>,
  unavailable: readonly string[] = [],
): Promise<readonly FoundByApi[]> {
  const response = await fetch(`${url}/api/v1/search?${new URLSearchParams(parameters).toString()}`, {
    headers: { authorization: `Bearer ${key}` },
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`search returned ${response.status}: ${text}`);
  const { data, degraded } = answer.parse(JSON.parse(text));
  if (degraded.join(', ') !== unavailable.join(', ')) throw new Error(`search is degraded: ${degraded.join(', ')}`);
  return data;
}

/** Sends events in sequential batches. */
export async function sendEvents(
  { url, key }: BenchInstance,
  events: readonly Readonly<Record<string, unknown>>[],
): Promise<void> {
  const PER_REQUEST = 500;
  for (let from = 0; from < events.length; from += PER_REQUEST) {
    const response = await fetch(`${url}/api/v1/events/batch`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify(events.slice(from, from + PER_REQUEST)),
    });
    const text = await response.text();
    if (response.status !== 202) throw new Error(`events returned ${response.status}: ${text}`);
    const { rejected } = z.looseObject({ rejected: z.number() }).parse(JSON.parse(text));
    if (rejected > 0) throw new Error(`${rejected} events were rejected: ${text.slice(0, 500)}`);
  }
}

const LOOK_MS = 2_000;
const WAITING =
  "SELECT (SELECT count(*) FROM sessions WHERE consumed_seq < last_seq) + (SELECT count(*) FROM embeddings WHERE state = 'pending') AS count";

/** Waits until everything captured is indexed, also in the graph of Weaviate, which gets vectors from a queue after they are written. */
export async function awaitIndexed({ database, weaviate }: BenchInstance, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (let round = 0; ; round += 1) {
    const [{ count }] = countRow.parse((await database.query(WAITING)).rows);
    if (count === 0) break;
    if (round % 15 === 0) process.stderr.write(`${count} wait for the index\n`);
    if (performance.now() > deadline) throw new Error(`${count} still wait for the index`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  await awaitQueue(weaviate, deadline - performance.now());
}

/** Returns the external ids of all sessions by id. */
export async function sessionNames({ database }: BenchInstance): Promise<ReadonlyMap<string, string>> {
  const { rows } = await database.query('SELECT id, external_id FROM sessions');
  return new Map(
    z
      .array(z.object({ id: z.string(), external_id: z.string() }))
      .parse(rows)
      .map(({ id, external_id: name }) => [id, name]),
  );
}
