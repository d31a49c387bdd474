import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import type { EventPart } from '../../../domain/capture/event.ts';
import { chunkText } from '../../../domain/chunking.ts';
import { indexNameOf } from '../../../domain/index-model.ts';
import type { Embedder } from '../../../domain/ports/embedder.ts';
import type { VectorIndex } from '../../../domain/ports/vector-index.ts';
import { captureEvents } from '../../../stores/postgres/capture/capture.ts';
import { readCapturedEvent } from '../../../stores/postgres/capture/captured-events.ts';
import { requestEmbeddings } from '../../../stores/postgres/embeddings/embedding-ledger.ts';
import type { RequestedEmbedding } from '../../../stores/postgres/embeddings/embedding-ledger.ts';
import { forgetEvent } from '../../../stores/postgres/erasure/forget.ts';
import { changeObservation } from '../../../stores/postgres/memories/memory-changes.ts';
import { memoriesOfObjects } from '../../../stores/postgres/search/candidates.ts';
import { createWeaviateIndex } from '../../../stores/weaviate/weaviate-index.ts';
import { fileDatabase, fileUser } from '../../setup/database.ts';
import { event, noted, promptPart } from '../../stores/postgres/support/captures.ts';
import { countingEmbedder, embedNext } from './support/embed-next.ts';

const INDEX = { name: indexNameOf('counting'), dimension: 2 };
const db = fileDatabase();
let vectors: VectorIndex;
const user = fileUser(db);

beforeAll(async () => {
  vectors = createWeaviateIndex({
    ...inject('engines').weaviate,
    collectionPrefix: `T${randomUUID().replaceAll('-', '')}`,
  });
});
afterAll(async () => {
  await vectors.close();
});

/** Captures one event per part and requests their vectors; returns the ids of the rows. */
async function captured(session: string, parts: readonly EventPart[]): Promise<string[]> {
  const rows: RequestedEmbedding[] = [];
  for (const [n, part] of parts.entries()) {
    const one = event(user, session, [part], { key: `${session}-${n}` });
    await captureEvents(db.database.pool, [one]);
    for (const { id, kind } of one.rows)
      if (kind !== 'boundary')
        rows.push({
          type: kind,
          id,
          sessionId: null,
          chunks: chunkText('', 'content' in part && typeof part.content === 'string' ? part.content : ''),
        });
  }
  await db.database.asTenant(user.tenantId, (transaction) =>
    requestEmbeddings(transaction, user.tenantId, INDEX, rows),
  );
  return rows.map(({ id }) => id);
}

const embed = (embedder: Embedder) =>
  embedNext({ database: db.database, tenantId: user.tenantId, vectors, cacheEntries: 100 }, embedder);

async function foundBy(word: string, tags?: readonly string[]): Promise<string[]> {
  const hits = await vectors.keyword(user.tenantId, INDEX.name, word, tags === undefined ? {} : { tags }, 10);
  const objectIds = hits.map((hit) => hit.objectId);
  return db.database.readAsTenant(user.tenantId, async (read) => {
    const memories = await memoriesOfObjects(read, INDEX.name, objectIds);
    return objectIds.map((id) => memories.get(id) ?? id);
  });
}

/** Forgets the event that a row is of. */
async function forget(rowId: string): Promise<void> {
  const rows = await db.rows<{ session_id: string; key: string }>(
    'SELECT session_id, key FROM capture_keys WHERE row_id = $1',
    [rowId],
  );
  await db.database.asTenant(user.tenantId, async (transaction) => {
    const found = await readCapturedEvent(transaction, rows[0]?.session_id ?? '', rows[0]?.key ?? '');
    if (found === null) throw new Error('no such event');
    await forgetEvent(transaction, found);
  });
}

/** An embedder in whose first run something happens. */
function interrupted(meanwhile: () => Promise<unknown>): Embedder {
  const { embedder } = countingEmbedder();
  let first = true;
  return {
    ...embedder,
    embed: async (...call) => {
      if (first) {
        first = false;
        await meanwhile();
      }
      return embedder.embed(...call);
    },
  };
}

const cached = () => db.count('embedding_cache WHERE tenant_id = $1', [user.tenantId]);

test("a forgotten prompt's words find none of its results and leave no vector", async () => {
  const [, , prompt = '', output = '', answer = '', , later = ''] = await captured('forgotten', [
    promptPart('paint the shed'),
    noted('a brush was bought'),
    promptPart('my word is xylophone'),
    noted('the first output'),
    promptPart('the first answer', 'assistant'),
    promptPart('now the roof'),
    noted('a later output'),
  ]);
  const { embedder, read } = countingEmbedder();
  await embed(embedder);
  expect((await foundBy('xylophone')).toSorted()).toEqual([prompt, output, answer].toSorted());
  const before = read().length;
  await forget(prompt);
  expect(await embed(embedder)).toMatchObject({ indexed: 2, more: false });
  expect(await foundBy('xylophone')).toEqual([]);
  // Earlier requests apply now; rows after the next prompt are unchanged.
  expect(read().slice(before).toSorted()).toEqual([
    'paint the shed\nthe first answer',
    'paint the shed\nthe first output',
  ]);
  expect(await foundBy('shed')).toEqual(expect.arrayContaining([output, answer]));
  expect(await foundBy('roof')).toContain(later);
  expect(await cached()).toBe(6);
});

test('a prompt forgotten during embedding leaves no words behind', async () => {
  const [prompt = '', output = ''] = await captured('forgotten-meanwhile', [
    promptPart('say zeppelin'),
    noted('what was printed'),
  ]);
  const before = await cached();
  expect(await embed(interrupted(() => forget(prompt)))).toMatchObject({ indexed: 1, more: true });
  expect(await embed(countingEmbedder().embedder)).toMatchObject({ indexed: 1, more: false });
  expect(await foundBy('zeppelin')).toEqual([]);
  expect(await foundBy('printed')).toEqual([output]);
  expect(await cached()).toBe((before ?? 0) + 1);
});

test('tags set during embedding are searchable', async () => {
  const [id = ''] = await captured('tagged', [noted('a gazebo')]);
  const tag = () =>
    db.database.asTenant(user.tenantId, (transaction) => changeObservation(transaction, id, { tags: ['garden'] }));
  expect(await embed(interrupted(tag))).toMatchObject({ indexed: 0, more: true });
  expect(await foundBy('gazebo', ['garden'])).toEqual([]);
  expect(await embed(countingEmbedder().embedder)).toMatchObject({ indexed: 1, more: false });
  expect(await foundBy('gazebo', ['garden'])).toEqual([id]);
});
