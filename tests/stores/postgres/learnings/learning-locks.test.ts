import { beforeEach, expect, test } from 'vitest';
import { newId } from '../../../../domain/ids.ts';
import type { LearningDraft } from '../../../../domain/ports/model.ts';
import { writeLearnings } from '../../../../stores/postgres/learnings/learning-writes.ts';
import type { PlacedDraft } from '../../../../stores/postgres/learnings/learning-writes.ts';
import { learningFingerprint } from '../../../../stores/postgres/learnings/learnings.ts';
import { fileDatabase } from '../../../setup/database.ts';
import type { TestUser } from '../../../setup/database.ts';
import { until } from '../../../setup/until.ts';

const AT = new Date('2026-05-01T10:00:00Z');
const db = fileDatabase();
let user: TestUser;
/** In the order of ids. */
let known: readonly [string, string];

beforeEach(async () => {
  user = await db.createUser();
  known = [await plant('The cache lives in redis'), await plant('The queue lives in postgres')];
});

const scope = { projectId: null, namespace: 'default', ownerId: null };

async function plant(description: string): Promise<string> {
  const id: string = newId();
  const print = learningFingerprint({ ...scope, category: 'general', description });
  await db.write(
    `INSERT INTO learnings (id, tenant_id, user_id, fingerprint, category, title, description, confidence, valid_from) VALUES ($1, $2, $3, $4, 'general', '', $5, 0.5, $6)`,
    [id, user.tenantId, user.userId, Buffer.from(print), description, AT],
  );
  return id;
}

function draftOf(description: string): LearningDraft {
  const evidence = [{ rowId: newId(), quote: description }];
  const text = { title: description, description, context: '', examples: [], tags: [] };
  return { category: 'general', ...text, confidence: 0.6, evidence };
}

const write = (drafts: readonly PlacedDraft[]) =>
  db.database.asTenant(user.tenantId, (transaction) =>
    writeLearnings(
      transaction,
      { tenantId: user.tenantId, userId: user.userId, sessionId: newId(), ...scope, validFrom: AT },
      drafts,
    ),
  );

/** Resolves when a connection to this database waits for a lock. */
const waiting = () =>
  until(async () => {
    const rows = await db.rows(
      "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
    return rows.length > 0 ? true : undefined;
  });

test.each<[string, (ids: readonly [string, string]) => readonly PlacedDraft[]]>([
  [
    'as they are placed',
    ([first, second]) => [
      { draft: draftOf('It is redis 7'), placing: { kind: 'same', knownId: second }, occurredAt: AT },
      { draft: draftOf('It is postgres 18'), placing: { kind: 'same', knownId: first }, occurredAt: AT },
    ],
  ],
  [
    'by their words',
    () => [
      { draft: draftOf('The queue lives in postgres'), placing: { kind: 'new' }, occurredAt: AT },
      { draft: draftOf('The cache lives in redis'), placing: { kind: 'new' }, occurredAt: AT },
    ],
  ],
])(
  'learnings that are known %s are locked in the order of ids, whatever that of the drafts',
  async (_how, draftsOf) => {
    const other = await db.maintenance.connect();
    try {
      await other.query('BEGIN');
      await other.query('SELECT FROM learnings WHERE id = $1 FOR UPDATE', [known[0]]);
      const writing = write(draftsOf(known));
      const outcome = writing.then(({ ids }) => new Set(ids));
      await waiting();
      // If the writer had locked this one while it waits for the first, this would be a deadlock.
      const [second] = await Promise.allSettled([
        other.query('SELECT FROM learnings WHERE id = $1 FOR UPDATE NOWAIT', [known[1]]),
      ]);
      await other.query('ROLLBACK');
      expect([second.status, await outcome]).toEqual(['fulfilled', new Set(known)]);
    } finally {
      other.release();
    }
  },
);
