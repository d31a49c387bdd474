import { beforeAll, expect, test } from 'vitest';
import { countSessions } from '../../../../stores/postgres/sessions/sessions.ts';
import type { SessionListFilter } from '../../../../stores/postgres/sessions/sessions.ts';
import { fileDatabase, fileUser } from '../../../setup/database.ts';

const SESSIONS = 20_000;
const LIMIT = 50;
let projectId: string;
const db = fileDatabase();
const user = fileUser(db);

beforeAll(async () => {
  projectId = await db.createProject(user);
  await db.write(
    `INSERT INTO sessions (id, tenant_id, user_id, project_id, host, external_id, title, status, phase, started_at, last_event_at)
     SELECT uuidv7(), $1, $2, CASE WHEN n % 2 = 0 THEN $3::uuid END, 'test', 's-' || n, repeat('A title ', 20), CASE WHEN n % 4 = 0 THEN 'active' ELSE 'ended' END,
            CASE WHEN n % 4 = 0 THEN 'active' ELSE 'settled' END, now(), now() FROM generate_series(1, $4::integer) AS n`,
    [user.tenantId, user.userId, projectId, SESSIONS],
  );
  await db.owner.query('VACUUM ANALYZE sessions');
});

/** Rows of sessions that were read so far, by any plan; entries of an index that need no row do not count. */
async function rowsRead(): Promise<number> {
  const rows = await db.rows<{ n: number }>(
    "SELECT (seq_tup_read + coalesce(idx_tup_fetch, 0))::integer AS n FROM pg_stat_user_tables WHERE relname = 'sessions'",
  );
  return rows[0]?.n ?? -1;
}

test.each<[string, () => SessionListFilter, number]>([
  ['all', () => ({}), SESSIONS],
  ['those of a status', () => ({ status: 'active' }), SESSIONS / 4],
  ['those of a project', () => ({ projectId }), SESSIONS / 2],
])('sessions are counted in an index, without their rows: %s', async (_what, filterOf, total) => {
  const before = await rowsRead();
  const counted = await db.database.asTenant(user.tenantId, async (transaction) => {
    const counts = await countSessions(transaction, filterOf());
    await transaction.$queryRaw`SELECT pg_stat_force_next_flush()::text`;
    return counts;
  });
  expect(counted.total).toBe(total);
  expect((await rowsRead()) - before).toBeLessThan(10 * LIMIT);
});
