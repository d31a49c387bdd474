import { beforeAll, expect, test } from 'vitest';
import { newId } from '../../../../domain/ids.ts';
import { readCandidates } from '../../../../stores/postgres/search/candidates.ts';
import { fileDatabase, fileUser } from '../../../setup/database.ts';

const db = fileDatabase();
const owner = fileUser(db);
const [known, closed, unindexed] = [newId(), newId(), newId()];
const [first, second, ofClosed, unknown] = [newId(), newId(), newId(), newId()];
const INDEX = 'model@2';

beforeAll(async () => {
  await db.write(
    `INSERT INTO learnings (id, tenant_id, user_id, fingerprint, category, title, description, confidence, tags, valid_from, valid_to)
     SELECT l.id, $1, $2, convert_to(l.id::text, 'UTF8'), 'pattern', 'Deploys', 'Made by hand', 0.8, '{ops}', '2026-05-02T10:00:00.123Z', l.closed
       FROM unnest($3::uuid[], $4::timestamptz[]) AS l(id, closed)`,
    [owner.tenantId, owner.userId, [known, closed, unindexed], [null, '2026-06-01T00:00:00Z', null]],
  );
  await db.write(
    `INSERT INTO embeddings (id, tenant_id, resource_type, resource_id, chunk, model, dimension, content_hash, object_id, state)
     SELECT gen_random_uuid(), $1, 'learning', e.memory, e.chunk, e.model, 2, '\\x01', e.object, 'indexed'
       FROM unnest($2::uuid[], $3::integer[], $4::text[], $5::uuid[]) AS e(memory, chunk, model, object)`,
    [
      owner.tenantId,
      [known, known, closed, known],
      [0, 1, 0, 0],
      [INDEX, INDEX, INDEX, 'other@2'],
      [first, second, ofClosed, unknown],
    ],
  );
});

const read = (more: { readonly asOf?: string; readonly characters?: number } = {}) =>
  db.database.readAsTenant(owner.tenantId, (statement) =>
    readCandidates(statement, {
      index: INDEX,
      objectIds: [first, second, ofClosed, unknown, newId()],
      memories: [{ memoryId: unindexed, memoryType: 'learning' }],
      viewerId: undefined,
      asOf: more.asOf,
      characters: more.characters ?? 240,
    }),
  );

test('objects of the index and memories of other stores are read together, each memory once', async () => {
  const { heads, hitOf } = await read();
  expect([...heads.keys()].toSorted()).toEqual([known, unindexed].toSorted());
  expect(heads.get(unindexed)).toEqual({
    id: unindexed,
    type: 'learning',
    kind: 'pattern',
    tool: null,
    tags: ['ops'],
    sessionId: null,
    projectName: null,
    occurredAt: new Date('2026-05-02T10:00:00.123Z'),
    beginning: 'Deploys Made by hand',
  });
  const hit = { memoryId: known, memoryType: 'learning', sessionId: null, kind: 'pattern', tool: null };
  expect(hitOf(first, 0.9)).toEqual({ ...hit, score: 0.9 });
  expect(hitOf(second, 0.2)).toEqual({ ...hit, score: 0.2 });
});

test('an object of a closed learning, of another index or without a ledger row is no hit', async () => {
  const { hitOf } = await read();
  expect([ofClosed, unknown, newId()].map((object) => hitOf(object, 1))).toEqual([undefined, undefined, undefined]);
});

test('a learning that was closed later is a hit as of a time before', async () => {
  const { heads, hitOf } = await read({ asOf: '2026-05-20T00:00:00Z', characters: 9 });
  expect(hitOf(ofClosed, 1)?.memoryId).toBe(closed);
  expect(heads.get(closed)?.beginning).toBe('Deploys M');
});
