import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { ApiKey, connectToCustom } from 'weaviate-client';
import { newId, type TenantId } from '../../../domain/ids.ts';
import type { ExportedObject, VectorIndex } from '../../../domain/ports/vector-index.ts';
import { collectionName } from '../../../stores/weaviate/schema.ts';
import { createWeaviateIndex } from '../../../stores/weaviate/weaviate-index.ts';
import { PATIENT_SECONDS } from '../../setup/weaviate-limits.ts';
import { chunkOf, DIMENSION, MODEL, vectorAlong } from './chunks.ts';

const server = inject('engines').weaviate;
const prefix = `TestExport${Date.now()}`;
const never = new AbortController().signal;
let index: VectorIndex;

beforeAll(async () => {
  index = createWeaviateIndex({ ...server, collectionPrefix: prefix, timeoutsSeconds: PATIENT_SECONDS });
  await index.ensureCollection(MODEL, DIMENSION);
});
afterAll(async () => {
  await index.close();
  const { hostname, port } = new URL(server.url);
  const client = await connectToCustom({
    httpHost: hostname,
    httpPort: Number(port),
    grpcHost: hostname,
    grpcPort: server.grpcPort,
    authCredentials: new ApiKey(server.apiKey),
  });
  await client.collections.delete(collectionName(prefix, MODEL));
  await client.close();
});

async function exported(tenant: TenantId, model = MODEL, signal = never): Promise<ExportedObject[][]> {
  const pages: ExportedObject[][] = [];
  for await (const page of index.export(tenant, model, signal)) pages.push([...page]);
  return pages;
}

test('every object of a tenant is given once, as it was written, page by page', async () => {
  const [tenant, other] = [newId<TenantId>(), newId<TenantId>()];
  const chunks = Array.from({ length: 1_203 }, (_, n) =>
    chunkOf(tenant, {
      text: `row ${n}`,
      tags: ['a', 'b'],
      occurredAt: '2026-05-02T10:00:00.123456Z',
      vector: vectorAlong(n, (n % 7) / 10),
    }),
  );
  expect(await index.upsert(tenant, MODEL, chunks)).toEqual([]);
  await index.upsert(other, MODEL, [chunkOf(other)]);
  const pages = await exported(tenant);
  expect(pages.map((page) => page.length)).toEqual([500, 500, 203]);
  const byId = new Map(pages.flat().map((object) => [object.objectId, object]));
  expect(byId.size).toBe(chunks.length);
  for (const { objectId, memoryId, vector } of chunks) {
    expect(byId.get(objectId)?.vector).toEqual(vector);
    expect(byId.get(objectId)?.properties).toMatchObject({
      memory_id: memoryId,
      chunk: 0,
      tags: ['a', 'b'],
      occurred_at: '2026-05-02T10:00:00.123456Z',
    });
  }
});

test('exports nothing of an unknown tenant or index, and stops on an abort', async () => {
  expect(await exported(newId<TenantId>())).toEqual([]);
  expect(await exported(newId<TenantId>(), 'no-such-model-1@2')).toEqual([]);
  await expect(exported(newId<TenantId>(), MODEL, AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
});
