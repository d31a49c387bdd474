import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { learningFingerprint } from '../../../stores/postgres/learnings.ts';
import { storeMemories } from '../../../stores/postgres/memory-writes.ts';
import type { RememberedMemory } from '../../../stores/postgres/memory-writes.ts';
import { newId } from '../../../domain/ids.ts';
import { createTestDatabase, createTestUser } from '../../setup/database.ts';
import type { TestDatabase, TestUser } from '../../setup/database.ts';
import { until } from '../../setup/until.ts';

const scope = { projectId: null, namespace: 'default' };
const embeddingModel = { name: 'm', dimension: 3 };
let db: TestDatabase;
let user: TestUser;

beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.close());
beforeEach(async () => {
  user = await createTestUser(db.superuser);
});

const memory = (content: string): RememberedMemory => ({
  content,
  title: '',
  tags: [],
  category: 'general',
  ...scope,
  confidence: 0.5,
  occurredAt: null,
});

const store = (contents: readonly string[]) =>
  db.database.asTenant(user.tenantId, (transaction) =>
    storeMemories(transaction, { tenantId: user.tenantId, userId: user.userId, embeddingModel }, contents.map(memory)),
  );

/** Resolves when so many in this database wait for a lock. */
const waiting = (count: number) =>
  until(async () => {
    const { rows } = await db.superuser.query(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    return rows.length === count ? true : undefined;
  });

test('the same memories stored at once in another order wait for each other in one direction', async () => {
  const other = await db.superuser.connect();
  try {
    await other.query('BEGIN');
    await other.query(
      `INSERT INTO learnings (id, tenant_id, user_id, fingerprint, category, title, description, confidence, valid_from)
       VALUES ($1, $2, $3, $4, 'general', '', 'held', 0.5, now())`,
      [
        newId(),
        user.tenantId,
        user.userId,
        Buffer.from(learningFingerprint({ ...scope, category: 'general', description: 'held' })),
      ],
    );
    // Whoever wrote the first or the last before it waits for the one between would hold what the other one needs.
    const first = store(['first', 'held', 'last']);
    const second = store(['last', 'held', 'first']);
    const outcome = Promise.allSettled([first, second]);
    await waiting(2);
    await other.query('ROLLBACK');
    expect((await outcome).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled']);
    const [a, b] = [await first, await second];
    expect(b.map(({ id }) => id)).toEqual(a.map(({ id }) => id).toReversed());
  } finally {
    other.release();
  }
});
