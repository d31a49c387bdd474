import type { WeaviateClient } from 'weaviate-client';

/** Vectors of a tenant that wait in the server's queue to be indexed. */
export async function countQueued(client: WeaviateClient, collection: string, tenantId: string): Promise<number> {
  const nodes = await client.cluster.nodes({ collection, output: 'verbose' });
  return nodes
    .flatMap((node) => node.shards ?? [])
    .filter((shard) => shard.name === tenantId)
    .reduce((sum, shard) => sum + shard.vectorQueueLength, 0);
}

/** Drops every collection of a prefix. */
export async function dropCollections(client: WeaviateClient, prefix: string): Promise<void> {
  for (const { name } of await client.collections.listAll())
    if (name.startsWith(`${prefix}_`)) await client.collections.delete(name);
}
