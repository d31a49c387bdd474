import { z } from 'zod';
import type { BenchInstance } from '../capture/bench-instance.ts';

const LOOK_MS = 500;
const identified = z.looseObject({ id: z.string() });
const job = z.looseObject({ id: z.string(), state: z.string() });
export type KeepJob = z.output<typeof job>;

/** Sends one request to the API; returns its JSON response. @throws Error for every status over 299 */
export async function request(
  { url, key }: Pick<BenchInstance, 'url' | 'key'>,
  method: 'GET' | 'POST' | 'PUT',
  route: string,
  body?: unknown,
): Promise<unknown> {
  const response = await fetch(`${url}/api/v1${route}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${route} returned ${response.status}: ${text.slice(0, 500)}`);
  return JSON.parse(text);
}

/** Waits for the end of the job at this path. @throws Error if it fails or times out */
export async function awaitDone(
  instance: Pick<BenchInstance, 'url' | 'key'>,
  route: string,
  timeoutMs: number,
): Promise<KeepJob> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    // During a swap there is briefly no database.
    const found = await request(instance, 'GET', route).then(
      (answer) => job.parse(answer),
      () => null,
    );
    if (found?.state === 'completed') return found;
    if (found !== null && found.state !== 'running') throw new Error(`${route}: ${JSON.stringify(found)}`);
    if (performance.now() > deadline) throw new Error(`${route} was not done in ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Starts a job and waits for its end. */
export async function runJob(
  instance: Pick<BenchInstance, 'url' | 'key'>,
  start: string,
  body: unknown,
  rows: string,
  timeoutMs: number,
): Promise<KeepJob> {
  const { id } = identified.parse(await request(instance, 'POST', start, body));
  return awaitDone(instance, `${rows}/${id}`, timeoutMs);
}
