import { ApiKey, connectToCustom } from 'weaviate-client';
import type { WeaviateClient } from 'weaviate-client';
import { z } from 'zod';

export interface WeaviateAddress {
  readonly url: string;
  readonly grpcPort: number;
  readonly apiKey: string;
}

const node = z.object({
  shards: z.array(z.object({ vectorQueueLength: z.number().optional(), objectCount: z.number() })).nullish(),
});
const nodes = z.object({ nodes: z.array(node) });
const LOOK_MS = 500;

/** Returns the number of written vectors that are not in HNSW yet. */
async function waitingVectors({ url, apiKey }: WeaviateAddress): Promise<number> {
  const answer = await fetch(new URL('/v1/nodes?output=verbose', url), {
    headers: { authorization: `Bearer ${apiKey}` },
  });
  const shards = nodes.parse(await answer.json()).nodes.flatMap((entry) => entry.shards ?? []);
  return shards.reduce((sum, shard) => sum + (shard.vectorQueueLength ?? 0), 0);
}

/** Resolves when the vector queue was empty in three consecutive polls: a search by vector does not find what is in it. */
export async function awaitQueue(address: WeaviateAddress, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  for (let empty = 0; empty < 3;) {
    empty = (await waitingVectors(address)) === 0 ? empty + 1 : 0;
    if (performance.now() > deadline) throw new Error('the queue of vectors did not empty');
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Connects Weaviate's own client, as a program without Recollect would. */
export function connectBare({ url, grpcPort, apiKey }: WeaviateAddress): Promise<WeaviateClient> {
  const { hostname, port } = new URL(url);
  return connectToCustom({
    httpHost: hostname,
    httpPort: Number(port),
    httpSecure: false,
    grpcHost: hostname,
    grpcPort,
    grpcSecure: false,
    authCredentials: new ApiKey(apiKey),
  });
}
