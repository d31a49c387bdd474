import { beforeAll, expect, test } from 'vitest';
import { newId } from '../../../../domain/ids.ts';
import { readLine } from '../../../../stores/postgres/sessions/timeline.ts';
import type { Line } from '../../../../stores/postgres/sessions/timeline.ts';
import { fileDatabase, fileUser } from '../../../setup/database.ts';

/** Learnings of a project, of no project, and summaries of the project; a minute apart. */
const ROWS = 5_000;
let projectId: string;
const namespace = 'default';
const db = fileDatabase();
const user = fileUser(db);

beforeAll(async () => {
  projectId = await db.createProject(user);
  for (const project of [projectId, null])
    await db.write(
      `INSERT INTO learnings (id, tenant_id, project_id, user_id, fingerprint, category, title, description, confidence, valid_from)
       SELECT uuidv7(), $1, $2::uuid, $3, sha256(convert_to(coalesce($2::text, '') || n, 'UTF8')), 'general', '', 'word', 0.5, timestamptz '2025-01-01' + make_interval(mins => n)
         FROM generate_series(1, $4::integer) AS n`,
      [user.tenantId, project, user.userId, ROWS],
    );
  const sessionId = newId();
  await db.write(
    `INSERT INTO sessions (id, tenant_id, user_id, project_id, host, external_id, namespace, status, started_at, last_event_at)
     VALUES ($1, $2, $3, $4, 'test', 'long', $5, 'ended', now(), now())`,
    [sessionId, user.tenantId, user.userId, projectId, namespace],
  );
  await db.write(
    `INSERT INTO summaries (id, tenant_id, session_id, project_id, user_id, slot, type, title, content, model, input_tokens, output_tokens, cost_usd, from_seq, to_seq, occurred_at)
     SELECT uuidv7(), $1, $2, $3, $4, 'topic:' || n, 'topic', '', '', 'm', 0, 0, 0, n, n, timestamptz '2025-01-01' + make_interval(mins => n) FROM generate_series(1, $5::integer) AS n`,
    [user.tenantId, sessionId, projectId, user.userId, ROWS],
  );
  await db.owner.query('VACUUM ANALYZE learnings, summaries');
});

/** Rows of learnings and summaries that were read so far, by any plan. */
async function rowsRead(): Promise<number> {
  const rows = await db.rows<{ n: number }>(
    "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0))::integer AS n FROM pg_stat_user_tables WHERE relname IN ('learnings', 'summaries')",
  );
  return rows[0]?.n ?? -1;
}

const LINES: readonly [string, () => Line, number][] = [
  ['a project', () => ({ kind: 'project', id: projectId, namespace }), 2],
  ['rows without a project', () => ({ kind: 'namespace', namespace }), 1],
];

test.each(LINES)('the timeline of %s is read from its position on, not completely', async (_what, lineOf, kinds) => {
  const place = { occurredAt: '2025-01-02 12:00:30+00', seq: 1, id: newId() };
  for (const direction of ['before', 'after'] as const) {
    const before = await rowsRead();
    const refs = await db.database.readAsTenant(user.tenantId, async (read) => {
      const found = await readLine(
        read,
        { line: lineOf(), place, types: ['learning', 'summary'], viewerId: undefined },
        direction,
        6,
      );
      await read({ name: 'flush', text: 'SELECT pg_stat_force_next_flush()', values: [] });
      return found;
    });
    expect(refs).toHaveLength(6);
    expect(new Set(refs.map(({ type }) => type)).size).toBe(kinds);
    expect((await rowsRead()) - before).toBeLessThan(100);
  }
});
