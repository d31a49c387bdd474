import { beforeAll, expect, test } from 'vitest';
import { asId } from '../../domain/ids.ts';
import { createWeaviateIndex } from '../../stores/weaviate/weaviate-index.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { settled } from '../setup/demo-session.ts';
import { captured, smallSession } from '../setup/small-session.ts';
import { until } from '../setup/until.ts';

const instance = fileInstance();

beforeAll(async () => {
  await instance.startWorker();
});

/** Captures and indexes a note; returns its chunk in the ledger. */
async function indexedChunk(session: string): Promise<{ object_id: string; resource_id: string; model: string }> {
  const event = { host: 'test', session_id: session, infer: false, project: { name: 'lost' } };
  await instance.call('POST', '/events', { body: { ...event, type: 'observation', text: 'the cache lives in redis' } });
  await instance.call('POST', '/events', { body: { ...event, type: 'session.ended' } });
  const { id } = await settled(instance, `test:${session}`);
  const rows = await instance.rows<{ object_id: string; resource_id: string; model: string }>(
    'SELECT object_id, resource_id, model FROM embeddings WHERE session_id = $1',
    [id],
  );
  const [chunk] = rows;
  if (chunk === undefined) throw new Error('nothing was indexed');
  return chunk;
}

test('the sweep finds vectors that the index lost and writes them again', { timeout: 240_000 }, async () => {
  const chunk = await indexedChunk('lost');
  const index = createWeaviateIndex(instance.config.weaviate);
  try {
    await index.remove(instance.admin.tenantId, chunk.model, [asId(chunk.resource_id)]);
    expect(await index.existing(instance.admin.tenantId, chunk.model, [chunk.object_id])).toEqual(new Set());
    const sweep = instance.temporal.schedule.getHandle('ops/capture-sweep');
    let sweptAt = 0;
    await until(async () => {
      // The first sweep may find the chunk too young to report.
      if (Date.now() - sweptAt > 5_000) {
        sweptAt = Date.now();
        await sweep.trigger();
      }
      const existing = await index.existing(instance.admin.tenantId, chunk.model, [chunk.object_id]);
      return existing.has(chunk.object_id) ? true : undefined;
    }, 100_000);
  } finally {
    await index.close();
  }
});

test('a memory that is no longer current is removed from the index and the ledger', { timeout: 240_000 }, async () => {
  await captured(instance, smallSession('summed-up-anew'));
  const { id } = await settled(instance, 'test:summed-up-anew');
  const rows = await instance.rows<{ object_id: string; model: string }>(
    "SELECT object_id, model FROM embeddings WHERE resource_id = (SELECT id FROM summaries WHERE session_id = $1 AND type = 'session')",
    [id],
  );
  expect(rows.length).toBeGreaterThan(0);
  const objectIds = rows.map((row) => row.object_id);
  const model = rows[0]?.model ?? '';
  const index = createWeaviateIndex(instance.config.weaviate);
  try {
    expect((await index.existing(instance.admin.tenantId, model, objectIds)).size).toBe(objectIds.length);
    // At once: an index step that reads the ledger between the two would index what is still current.
    await instance.write(
      `WITH unpublished AS (UPDATE summaries SET published = false WHERE session_id = $1 AND type = 'session' RETURNING id)
       UPDATE embeddings SET state = 'pending' WHERE resource_id IN (SELECT id FROM unpublished)`,
      [id],
    );
    // Anything that is captured wakes the tenant's index.
    await indexedChunk('wakes-the-index');
    await until(async () => {
      const left = await instance.rows(
        'SELECT FROM embeddings WHERE object_id = ANY ($1::uuid[]) UNION ALL SELECT FROM embedding_removals WHERE object_id = ANY ($1::uuid[])',
        [objectIds],
      );
      return left.length === 0 ? true : undefined;
    });
    expect(await index.existing(instance.admin.tenantId, model, objectIds)).toEqual(new Set());
  } finally {
    await index.close();
  }
});
