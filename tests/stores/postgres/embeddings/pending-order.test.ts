import { expect, test } from 'vitest';
import { newId } from '../../../../domain/ids.ts';
import type { MemoryType } from '../../../../domain/ports/vector-index.ts';
import { pendingEmbeddings, requestEmbeddings } from '../../../../stores/postgres/embeddings/embedding-ledger.ts';
import { fileDatabase } from '../../../setup/database.ts';

const INDEX = { name: 'served', dimension: 2 };
const DAY_MS = 86_400_000;
const db = fileDatabase();

/** Requests one chunk for each memory; returns how they are read, by name. */
async function orderOf(
  memories: readonly { readonly name: string; readonly type: MemoryType; readonly occurredAt?: Date }[],
  limit: number,
): Promise<string[]> {
  const { tenantId } = await db.createUser();
  const named = memories.map((memory) => ({ ...memory, id: newId() }));
  const pending = await db.database.asTenant(tenantId, async (transaction) => {
    await requestEmbeddings(
      transaction,
      tenantId,
      INDEX,
      named.map(({ name, ...memory }) => ({
        ...memory,
        sessionId: null,
        chunks: [{ n: 0, text: name, contentHash: Buffer.alloc(32) }],
      })),
    );
    return pendingEmbeddings(transaction, INDEX.name, limit);
  });
  return pending.map(({ memoryId }) => named.find(({ id }) => id === memoryId)?.name ?? '');
}

const rowOf = (age: number) => ({ type: 'prompt', occurredAt: new Date(Date.now() - age * DAY_MS) }) as const;

test('reads a session of today before imported ones, and summaries and learnings before captured rows', async () => {
  const order = await orderOf(
    [
      { name: 'without a time', type: 'observation' },
      { name: 'of last year', ...rowOf(300) },
      { name: 'of today', ...rowOf(0.1) },
      { name: 'of yesterday', ...rowOf(1) },
      { name: 'learning', type: 'learning' },
    ],
    4,
  );
  expect(order).toEqual(['learning', 'of today', 'of yesterday', 'without a time']);
});

test('every fourth is one of the oldest, so that newer ones do not keep them waiting for ever', async () => {
  const memories = Array.from({ length: 40 }, (_, age) => ({ name: String(age), ...rowOf(age) }));
  const order = await orderOf(memories, 8);
  expect(order).toEqual(['0', '1', '2', '39', '3', '4', '5', '38']);
});

test('reads each chunk once when fewer wait than are read', async () => {
  const memories = Array.from({ length: 6 }, (_, age) => ({ name: String(age), ...rowOf(age) }));
  expect((await orderOf(memories, 100)).toSorted()).toEqual(['0', '1', '2', '3', '4', '5']);
});
