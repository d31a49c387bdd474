import { afterAll, beforeAll, expect, test } from 'vitest';
import { asId } from '../../domain/ids.ts';
import { createWeaviateIndex } from '../../stores/weaviate/weaviate-index.ts';
import { sessionOf, settled } from '../setup/demo-session.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { until } from '../setup/until.ts';

let instance: TestInstance;

beforeAll(async () => {
  instance = await startTestInstance();
  await instance.startWorker();
});
afterAll(() => instance.close());

test('what the vector index took and lost is found by the sweep and written again', { timeout: 120_000 }, async () => {
  const event = { host: 'test', session_id: 'lost', infer: false, project: { name: 'lost' } };
  await instance.call('POST', '/events', { body: { ...event, type: 'observation', text: 'the cache lives in redis' } });
  await instance.call('POST', '/events', { body: { ...event, type: 'session.ended' } });
  await settled(instance, 'test:lost');
  const { id } = await sessionOf(instance, 'test:lost');
  const { rows } = await instance.db.superuser.query<{ object_id: string; resource_id: string; model: string }>(
    'SELECT object_id, resource_id, model FROM embeddings WHERE session_id = $1',
    [id],
  );
  const [chunk] = rows;
  if (chunk === undefined) throw new Error('nothing was indexed');
  const index = createWeaviateIndex(instance.config.weaviate);
  try {
    await index.remove(instance.admin.tenantId, chunk.model, [asId(chunk.resource_id)]);
    expect(await index.standing(instance.admin.tenantId, chunk.model, [chunk.object_id])).toEqual(new Set());
    await instance.temporal.schedule.getHandle('ops/capture-sweep').trigger();
    await until(async () => {
      const standing = await index.standing(instance.admin.tenantId, chunk.model, [chunk.object_id]);
      return standing.has(chunk.object_id) ? true : undefined;
    }, 60_000);
  } finally {
    await index.close();
  }
});
