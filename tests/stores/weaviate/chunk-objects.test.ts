import { expect, test } from 'vitest';
import { newId, type TenantId } from '../../../domain/ids.ts';
import { chunkBatches, chunkObject } from '../../../stores/weaviate/chunk-objects.ts';
import { collectionName } from '../../../stores/weaviate/schema.ts';
import { chunkOf, MODEL } from './chunks.ts';

const tenant = newId<TenantId>();

test('batches hold at most 200 objects, in order', () => {
  const chunks = Array.from({ length: 450 }, (_, chunk) => chunkOf(tenant, { chunk }));
  const batches = chunkBatches(chunks);
  expect(batches.map((batch) => batch.length)).toEqual([200, 200, 50]);
  expect(batches.flat()).toEqual(chunks);
});

test('batches are bounded by bytes, and a chunk beyond the bound goes alone', () => {
  const small = chunkOf(tenant);
  const half = chunkOf(tenant, { text: 'x'.repeat(700_000) });
  const huge = chunkOf(tenant, { text: 'x'.repeat(3_000_000) });
  expect(chunkBatches([half, half, small, huge, small]).map((batch) => batch.length)).toEqual([1, 2, 1, 1]);
  expect(chunkBatches([])).toEqual([]);
});

test('what is null is not stored; no owner means everyone', () => {
  const { properties } = chunkObject(MODEL, chunkOf(tenant));
  expect(Object.keys(properties)).not.toContain('project_id');
  expect(properties.owner_id).toBe('*');
});

test('a model has a collection of its own', () => {
  expect(collectionName('RecollectChunk', 'bge-small-en-v1.5-q')).toBe('RecollectChunk_BgeSmallEnV15Q');
});
