import { beforeAll, expect, test } from 'vitest';
import { decayLearnings, renewFingerprints } from '../../../../stores/postgres/learnings/consolidation.ts';
import type { TenantTransaction } from '../../../../stores/postgres/connection/database.ts';
import { wordNeighbours } from '../../../../stores/postgres/learnings/learning-neighbours.ts';
import type { LearningScope } from '../../../../stores/postgres/learnings/learning-neighbours.ts';
import { fileDatabase, fileUser } from '../../../setup/database.ts';

/** Current learnings per scope, and the number of scopes. */
const LEARNINGS = 100;
const PROJECTS = 40;
/** More than are ranked by words. */
const LARGE = 2_100;
const db = fileDatabase();
const user = fileUser(db);
let small: string;
let large: string;

/** Only the oldest of them contains the word zymurgy. */
async function load(projectId: string | null, learnings: number): Promise<void> {
  await db.write(
    `INSERT INTO learnings (id, tenant_id, project_id, user_id, fingerprint, category, title, description, confidence, valid_from)
     SELECT uuidv7(make_interval(secs => n - $4)), $1, $2::uuid, $3, sha256(convert_to(coalesce($2::text, '') || n, 'UTF8')), 'general', '', CASE n WHEN 1 THEN 'zymurgy' ELSE 'word' || n END, 0.5, now()
       FROM generate_series(1, $4::integer) AS n`,
    [user.tenantId, projectId, user.userId, learnings],
  );
}

beforeAll(async () => {
  for (let n = 0; n < PROJECTS; n += 1) await load(await db.createProject(user), LEARNINGS);
  await load(null, LEARNINGS);
  small = await db.createProject(user);
  await load(small, LEARNINGS);
  large = await db.createProject(user);
  await load(large, LARGE);
  await db.owner.query('VACUUM ANALYZE learnings');
});

/** Rows of learnings that were read so far, by whatever way. */
async function rowsRead(): Promise<number> {
  const rows = await db.rows<{ n: number }>(
    "SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::integer AS n FROM pg_stat_user_tables WHERE relname = 'learnings'",
  );
  return rows[0]?.n ?? -1;
}

const DAY_MS = Date.parse('2026-06-01T00:00:00Z');
const READS: readonly [string, (transaction: TenantTransaction, scope: LearningScope) => Promise<unknown>][] = [
  ['neighbours by words', (transaction, scope) => wordNeighbours(transaction, scope, ['zymurgy'], 8)],
  ['fingerprints to renew', (transaction, scope) => renewFingerprints(transaction, scope, null, 20)],
  ['what decays', (transaction, scope) => decayLearnings(transaction, scope, DAY_MS, 20)],
];

test.each(READS)('%s: rows of other scopes are not read, with a project and without', async (_name, work) => {
  for (const projectId of [small, null]) {
    const before = await rowsRead();
    await db.database.asTenant(user.tenantId, async (transaction) => {
      await work(transaction, { projectId, namespace: 'default', ownerId: null });
      await transaction.$queryRaw`SELECT pg_stat_force_next_flush()::text`;
    });
    const read = (await rowsRead()) - before;
    expect(read).toBeGreaterThan(0);
    expect(read).toBeLessThanOrEqual(2 * LEARNINGS);
  }
});

test('words are looked for in the newest of a large scope, and in all of a small one', async () => {
  const first = (projectId: string | null) =>
    db.database.asTenant(user.tenantId, async (transaction) => {
      const [best] = await wordNeighbours(
        transaction,
        { projectId, namespace: 'default', ownerId: null },
        ['zymurgy'],
        8,
      );
      return best?.description;
    });
  expect(await first(null)).toBe('zymurgy');
  expect(await first(large)).toBe(`word${LARGE}`);
});
