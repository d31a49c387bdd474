import { beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { FEED_TYPES } from '../../../../domain/feed.ts';
import type { TenantView } from '../../../../stores/postgres/connection/database.ts';
import type { NamedRead } from '../../../../stores/postgres/connection/database.ts';
import { densityStatement } from '../../../../stores/postgres/feed/feed-density.ts';
import type { FeedPlace, FeedSide } from '../../../../stores/postgres/feed/feed.ts';
import { feedStatement } from '../../../../stores/postgres/feed/feed.ts';
import { fileDatabase, fileUser } from '../../../setup/database.ts';

/** Rows of each private table: the cost of a page is the same with ten times as many, which takes too long to write here. */
const ROWS = 20_000;
const db = fileDatabase();
const user = fileUser(db);
let projectId: string;

async function sessionOf(project: string | null, name: string): Promise<string> {
  const [made] = await db.write<{ id: string }>(
    `INSERT INTO sessions (id, tenant_id, user_id, project_id, host, external_id, started_at, last_event_at, ended_at)
     VALUES (uuidv7(), $1, $2, $3, 'test', $4, now(), now(), now()) RETURNING id`,
    [user.tenantId, user.userId, project, name],
  );
  return made?.id ?? '';
}

beforeAll(async () => {
  projectId = await db.createProject(user, 'rare');
  const session = await sessionOf(null, 'common');
  const rare = await sessionOf(projectId, 'rare');
  const rows = (session_id: string, count: number, from: number) => [
    user.tenantId,
    session_id,
    user.userId,
    count,
    from,
  ];
  const insert = (id: string, count: number, from: number) =>
    Promise.all([
      db.write(
        `INSERT INTO observations (id, tenant_id, session_id, user_id, seq, type, event, title, content, preview, tokens, occurred_at)
         SELECT uuidv7(), $1, $2, $3, n + $5::integer, 'info', 'observation', 'A title', repeat('text ', 300), 'text', 1, now() - make_interval(mins => n + $5::integer) FROM generate_series(1, $4::integer) AS n`,
        rows(id, count, from),
      ),
      db.write(
        `INSERT INTO prompts (id, tenant_id, session_id, user_id, seq, type, content, sha256, tokens, occurred_at)
         SELECT uuidv7(), $1, $2, $3, n + $5::integer, 'user', repeat('word ', 300), sha256('c'), 1, now() - make_interval(mins => n + $5::integer) FROM generate_series(1, $4::integer) AS n`,
        rows(id, count, from),
      ),
    ]);
  await insert(session, ROWS, 0);
  await insert(rare, 10, ROWS);
  await db.owner.query('VACUUM ANALYZE observations, prompts, sessions, summaries, learnings, users');
}, 600_000);

const planShape = z.object({ 'Execution Time': z.number(), Plan: z.unknown() });

interface Explained {
  readonly ms: number;
  /** Rows that every scan of the captured tables returned or removed. */
  readonly rows: number;
  readonly text: string;
}

async function explained(statement: NamedRead, viewerId: string | undefined): Promise<Explained> {
  const view: TenantView = { tenantId: user.tenantId, viewerId, bounds: null };
  return db.database.readAsTenant(view, async (read) => {
    const explain = {
      ...statement,
      name: `explain_${statement.name}`,
      text: `EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) ${statement.text}`,
    };
    let found: z.output<typeof planShape> | undefined;
    // The first one plans.
    for (let n = 0; n < 3; n += 1) {
      const [row] = z.array(z.object({ 'QUERY PLAN': z.array(planShape) })).parse(await read(explain));
      found = row?.['QUERY PLAN'][0];
    }
    const text = JSON.stringify(found?.Plan);
    const scans = [...text.matchAll(/"Relation Name":"(?:prompts|observations)[^}]*?"Actual Rows":([\d.]+)[^}]*/g)];
    const removed = scans.map(([scan]) => Number(/"Rows Removed by Filter":(\d+)/.exec(scan)?.[1] ?? 0));
    return {
      ms: found?.['Execution Time'] ?? Infinity,
      rows: scans.reduce((sum, [, rows], n) => sum + Number(rows) + (removed[n] ?? 0), 0),
      text,
    };
  });
}

interface Page {
  readonly what: string;
  readonly side: FeedSide;
  readonly isFromMiddle: boolean;
  readonly since?: string;
}
const PAGES: readonly Page[] = [
  { what: 'the newest', side: 'older', isFromMiddle: false },
  { what: 'older ones from the middle', side: 'older', isFromMiddle: true },
  { what: 'newer ones from the middle', side: 'newer', isFromMiddle: true },
  { what: 'since a time', side: 'older', isFromMiddle: false, since: new Date(Date.now() - 60_000_000).toISOString() },
];
const filter = { types: FEED_TYPES, projectId: undefined, sessionId: undefined, since: undefined, until: undefined };
const middle = (): FeedPlace => ({
  at: new Date(Date.now() - (ROWS / 2) * 60_000).toISOString(),
  id: user.userId,
  n: 3,
});

describe.each([
  ['a user', () => user.userId],
  ['an admin', () => undefined],
])('a page for %s', (_who, viewer) => {
  test.each(PAGES)('reads few rows by index: $what', async ({ side, isFromMiddle, since }) => {
    const viewerId = viewer();
    const place = isFromMiddle ? middle() : null;
    const found = await explained(feedStatement({ ...filter, since, viewerId }, side, place, 20), viewerId);
    expect(found.rows).toBeLessThan(1_000);
  });

  test('of a rare project examines a limited number of rows', async () => {
    const viewerId = viewer();
    const found = await explained(feedStatement({ ...filter, projectId, viewerId }, 'older', null, 20), viewerId);
    expect(found.rows).toBeLessThan(11_000);
  });

  test('a density reads the index alone', async () => {
    const viewerId = viewer();
    const range = { since: new Date(Date.now() - ROWS * 60_000).toISOString(), until: new Date().toISOString() };
    const statement = densityStatement({ ...filter, ...range, viewerId, bucketSeconds: (ROWS * 60) / 90, buckets: 90 });
    const found = await explained(statement, viewerId);
    expect(found.text).toMatch(/"Index Only Scan"[^}]*observations/);
  });
});
