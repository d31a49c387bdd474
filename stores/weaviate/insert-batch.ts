import { z } from 'zod';
import type { ChunkObject } from './chunk-objects.ts';

export interface InsertTarget {
  /** REST address of the server. */
  readonly url: string;
  readonly apiKey: string;
  readonly timeoutSeconds: number;
}

export interface Refusal {
  readonly objectId: string;
  readonly message: string;
}

const refusedEntry = z.object({ error: z.array(z.object({ message: z.string() })).min(1) });
const batchAnswer = z.array(
  z.object({
    id: z.string(),
    result: z.object({ status: z.string().optional(), errors: refusedEntry.nullish() }).nullish(),
  }),
);

/**
 * Writes objects in one request, overwriting those of the same id, and answers what the server refused.
 *
 * By REST and not by the client's `insertMany`: that one (3.14) polls for its own serialisation every 500 ms, which made two objects as
 * slow as two hundred, and throws from a timer, out of any caller's reach, when a value cannot be serialised.
 * @throws Error when there is no answer, or one for the whole request
 */
export async function insertBatch(
  target: InsertTarget,
  collection: string,
  tenant: string,
  objects: readonly ChunkObject[],
  signal?: AbortSignal,
): Promise<Refusal[]> {
  const timeout = AbortSignal.timeout(target.timeoutSeconds * 1_000);
  const response = await fetch(new URL('v1/batch/objects', target.url.endsWith('/') ? target.url : `${target.url}/`), {
    method: 'POST',
    headers: { authorization: `Bearer ${target.apiKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ objects: objects.map((object) => ({ class: collection, tenant, ...object })) }),
    signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`batch answered ${response.status}`);
  return batchAnswer.parse(JSON.parse(text)).flatMap(({ id, result }) => {
    const message = result?.errors?.error.map((error) => error.message).join('; ');
    return message === undefined ? [] : [{ objectId: id, message }];
  });
}
