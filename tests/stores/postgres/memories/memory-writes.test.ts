import { beforeEach, expect, test } from 'vitest';
import { newId } from '../../../../domain/ids.ts';
import type { LearningCategory } from '../../../../domain/ports/model.ts';
import { writeLearnings } from '../../../../stores/postgres/learnings/learning-writes.ts';
import { learningFingerprint } from '../../../../stores/postgres/learnings/learnings.ts';
import { forgetLearning } from '../../../../stores/postgres/memories/memory-changes.ts';
import { storeMemories } from '../../../../stores/postgres/memories/memory-writes.ts';
import type { RememberedMemory } from '../../../../stores/postgres/memories/memory-writes.ts';
import { fileDatabase } from '../../../setup/database.ts';
import type { TestUser } from '../../../setup/database.ts';
import { until } from '../../../setup/until.ts';

const scope = { projectId: null, namespace: 'default', ownerId: null };
const embeddingModel = { name: 'm', dimension: 3 };
const db = fileDatabase();
let user: TestUser;

beforeEach(async () => {
  user = await db.createUser();
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

const editor = () => ({ tenantId: user.tenantId, userId: user.userId, embeddingModel });

const store = (contents: readonly string[]) =>
  db.database.asTenant(user.tenantId, (transaction) => storeMemories(transaction, editor(), contents.map(memory)));

/** What a session teaches; answers the learnings that it became, null for what is left out. */
const taught = async (category: LearningCategory, descriptions: readonly string[]) => {
  const drafts = descriptions.map((description) => ({
    draft: { category, title: '', description, context: '', examples: [], tags: [], confidence: 0.5, evidence: [] },
    placing: { kind: 'new' } as const,
    occurredAt: new Date(),
  }));
  const { ids } = await db.database.asTenant(user.tenantId, (transaction) =>
    writeLearnings(
      transaction,
      { tenantId: user.tenantId, userId: user.userId, sessionId: newId(), ...scope, validFrom: new Date() },
      drafts,
    ),
  );
  return ids;
};

/** Resolves when this many connections to this database wait for a lock. */
const waiting = (count: number) =>
  until(async () => {
    const rows = await db.rows(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    return rows.length === count ? true : undefined;
  });

test('stores the same memories concurrently in opposite orders without a deadlock', async () => {
  const other = await db.maintenance.connect();
  try {
    await other.query('BEGIN');
    await other.query(
      `INSERT INTO learnings (id, tenant_id, user_id, fingerprint, category, title, description, confidence, valid_from)
       VALUES ($1, $2, $3, $4, 'general', '', 'locked', 0.5, now())`,
      [
        newId(),
        user.tenantId,
        user.userId,
        Buffer.from(learningFingerprint({ ...scope, category: 'general', description: 'locked' })),
      ],
    );
    // A writer that stored the first or the last before waiting for the locked one would block the other.
    const first = store(['first', 'locked', 'last']);
    const second = store(['last', 'locked', 'first']);
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

test('no session learns forgotten text again, in any category, even if it differs from others only in symbols', async () => {
  const stored = await store(['Keep x <= 3', 'Keep x >= 3', 'Ports are opened by ops']);
  const [current, ...forgotten] = stored.map(({ id }) => id);
  await db.database.asTenant(user.tenantId, async (transaction) => {
    for (const id of forgotten) await forgetLearning(transaction, editor(), id);
  });
  expect(await taught('config', ['Keep x >= 3', 'ports are opened by OPS.', 'Something else'])).toEqual([
    null,
    null,
    expect.any(String),
  ]);
  // A current learning is returned, and a user may store forgotten text again.
  expect(await taught('general', ['Keep x <= 3'])).toEqual([current]);
  expect((await store(['Keep x >= 3', 'Ports are opened by ops'])).map(({ isNew }) => isNew)).toEqual([true, true]);
});
