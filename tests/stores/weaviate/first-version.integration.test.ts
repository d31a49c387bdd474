import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { newId, type TenantId } from '../../../domain/ids.ts';
import { indexNameOf } from '../../../domain/index-model.ts';
import type { VectorIndex } from '../../../domain/ports/vector-index.ts';
import { createWeaviateIndex } from '../../../stores/weaviate/weaviate-index.ts';
import { PATIENT_SECONDS } from '../../setup/weaviate-limits.ts';
import { chunkOf, DIMENSION } from './chunks.ts';

const FIRST = indexNameOf('old', 1);
const tenant = newId<TenantId>();
let index: VectorIndex;

beforeAll(async () => {
  const collectionPrefix = `T${randomUUID().replaceAll('-', '')}`;
  index = createWeaviateIndex({
    ...inject('engines').weaviate,
    collectionPrefix,
    timeoutsSeconds: PATIENT_SECONDS,
  });
  await index.ensureCollection(FIRST, DIMENSION);
});
afterAll(() => index.close());

test('an index of the first version is queried by complete words, of titles before texts', async () => {
  const titled = chunkOf(tenant, { title: 'Failing dependencies', text: 'of the build' });
  const inText = chunkOf(tenant, { title: 'A note', text: 'these dependencies were calling useMemo in 数据库' });
  await index.upsert(tenant, FIRST, [inText, titled]);
  const found = async (question: string) =>
    (await index.keyword(tenant, FIRST, question, {}, 5)).map((hit) => hit.objectId);
  expect(await found('dependencies')).toEqual([titled.objectId, inText.objectId]);
  expect(await found('what is failing?')).toEqual([titled.objectId]);
  expect(await found('memo')).toEqual([inText.objectId]);
  expect(await found('数据库')).toEqual([inText.objectId]);
});
