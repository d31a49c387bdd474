import { beforeEach, expect, test } from 'vitest';
import { newId } from '../../../../domain/ids.ts';
import {
  beginIndex,
  lockIndexes,
  noteFilled,
  readIndexes,
  switchIndex,
} from '../../../../stores/postgres/embeddings/embedding-indexes.ts';
import {
  fillIndex,
  settleEmbeddings,
  pendingEmbeddings,
  requestEmbeddings,
} from '../../../../stores/postgres/embeddings/embedding-ledger.ts';
import { requestRefill, refillNext } from '../../../../stores/postgres/embeddings/embedding-rewrites.ts';
import type { RequestedEmbedding } from '../../../../stores/postgres/embeddings/embedding-ledger.ts';
import { fileDatabase } from '../../../setup/database.ts';
import type { TestUser } from '../../../setup/database.ts';

const SERVED = { name: 'old', dimension: 2 };
const BUILT = { name: 'new', dimension: 2 };
const db = fileDatabase();
let user: TestUser;

beforeEach(async () => {
  user = await db.createUser();
  await db.database.asTenant(user.tenantId, async (transaction) => {
    await lockIndexes(transaction, user.tenantId, SERVED, 'change');
    await beginIndex(transaction, BUILT);
    await noteFilled(transaction, 0, null);
  });
});

function memory(): RequestedEmbedding {
  return { type: 'prompt', id: newId(), sessionId: null, chunks: [{ n: 0, text: 't', contentHash: Buffer.alloc(32) }] };
}

const tried = () => db.database.asTenant(user.tenantId, (transaction) => switchIndex(transaction, BUILT.name, 1_000));

test('a built index is served despite rows captured just now, but not if a row has waited for long', async () => {
  await db.database.asTenant(user.tenantId, (transaction) =>
    requestEmbeddings(transaction, user.tenantId, SERVED, [memory()]),
  );
  const age = (seconds: number) =>
    db.write('UPDATE embeddings SET created_at = now() - make_interval(secs => $2) WHERE tenant_id = $1', [
      user.tenantId,
      seconds,
    ]);
  await age(70);
  expect(await tried()).toBe(false);
  await age(5);
  expect(await tried()).toBe(true);
});

test('an index that is not filled is not served', async () => {
  await db.database.asTenant(user.tenantId, (transaction) => fillIndex(transaction, user.tenantId, BUILT, [memory()]));
  expect(await tried()).toBe(false);
  await db.database.asTenant(user.tenantId, async (transaction) =>
    settleEmbeddings(transaction, await pendingEmbeddings(transaction, BUILT.name, 10), []),
  );
  expect(await tried()).toBe(true);
});

test('chunks of the served index are requested again in parts; those written meanwhile remain', async () => {
  const { tenantId } = user;
  const written = await db.database.asTenant(tenantId, async (transaction) => {
    await requestEmbeddings(transaction, tenantId, SERVED, [memory(), memory(), memory()]);
    const pending = await pendingEmbeddings(transaction, SERVED.name, 10);
    return pending.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  });
  const settle = (chunks: typeof written) =>
    db.database.asTenant(tenantId, (transaction) => settleEmbeddings(transaction, chunks, []));
  const states = async () => {
    const rows = await db.rows<{ state: string }>(
      'SELECT state FROM embeddings WHERE tenant_id = $1 AND model = $2 ORDER BY id',
      [tenantId, SERVED.name],
    );
    return rows.map((row) => row.state);
  };
  const next = async () => {
    const indexes = await db.database.readAsTenant(tenantId, readIndexes);
    if (indexes === null) throw new Error('no index');
    return db.database.asTenant(tenantId, (transaction) => refillNext(transaction, indexes, 2));
  };
  await settle(written);
  expect(await next()).toBe(false);
  await db.database.asTenant(tenantId, requestRefill);
  expect(await next()).toBe(true);
  expect(await states()).toEqual(['filling', 'filling', 'indexed']);
  // A new request starts over: chunks written before it are written again, later ones are not.
  await settle(written.slice(0, 1));
  await db.database.asTenant(tenantId, requestRefill);
  await settle(written.slice(1, 2));
  expect(await next()).toBe(true);
  expect(await next()).toBe(false);
  expect(await states()).toEqual(['filling', 'indexed', 'filling']);
  expect((await db.database.readAsTenant(tenantId, readIndexes))?.rewrite).toBeNull();
});
