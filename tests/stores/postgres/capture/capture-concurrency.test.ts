import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { CaptureEvent } from '../../../../domain/capture/event.ts';
import { captureEvents } from '../../../../stores/postgres/capture/capture.ts';
import { fileDatabase, fileUser } from '../../../setup/database.ts';
import { ended, event, noted, promptPart } from '../support/captures.ts';

/** As many at once as a server with several api processes sees. */
const AT_ONCE = 20;
const db = fileDatabase();
const user = fileUser(db);
let pool: pg.Pool;

beforeAll(async () => {
  pool = new pg.Pool({ connectionString: db.url('app'), max: AT_ONCE });
  // Dropping the database may come before the last goodbye of a connection.
  pool.on('error', () => {});
  // Connected before the race, so that it starts for all at once.
  await Promise.all(Array.from({ length: AT_ONCE }, () => pool.query('SELECT pg_sleep(0.05)')));
});
afterAll(() => pool.end());

function inParallel(batchOf: (writer: number) => readonly CaptureEvent[]) {
  return Promise.all(Array.from({ length: AT_ONCE }, (_, writer) => captureEvents(pool, batchOf(writer))));
}

function deadlocks(): Promise<number | undefined> {
  return db.value('SELECT deadlocks::integer AS value FROM pg_stat_database WHERE datname = current_database()');
}

describe('batches at once', { timeout: 240_000 }, () => {
  test('on the same sessions: no deadlock, no gap, nothing twice and nothing lost', async () => {
    const sessions = Array.from({ length: 6 }, (_, index) => `shared-${index}`);
    const perSession = 4;
    const answers = await inParallel((writer) => {
      const events = sessions.flatMap((external) =>
        Array.from({ length: perSession }, (_, n) => {
          const part = n % 3 === 0 ? promptPart(`${writer} ${n}`) : n % 3 === 1 ? noted(`${writer} ${n}`) : ended();
          return event(user, external, [part], { key: `${writer}-${n}` });
        }),
      );
      // Each writer names the sessions in an order of its own.
      return writer % 2 === 0 ? events : events.toReversed();
    });
    expect(answers.flat().every((outcome) => outcome.status === 'accepted')).toBe(true);
    expect(await deadlocks()).toBe(0);
    const positions = await db.rows<{
      rows: number;
      distinct: number;
      least: number;
      most: number;
      last: number;
    }>(
      `SELECT count(*)::integer AS rows, count(DISTINCT k.seq)::integer AS distinct, min(k.seq) AS least, max(k.seq) AS most, max(s.last_seq) AS last
         FROM sessions s JOIN capture_keys k ON k.session_id = s.id WHERE s.external_id LIKE 'shared-%' GROUP BY s.id`,
    );
    const all = AT_ONCE * perSession;
    expect(positions).toEqual(sessions.map(() => ({ rows: all, distinct: all, least: 1, most: all, last: all })));
    expect(
      await db.value("SELECT count(DISTINCT s.id)::integer AS value FROM sessions s WHERE external_id LIKE 'shared-%'"),
    ).toBe(sessions.length);
  });

  test('with the same keys store each event once and return its row to every writer', async () => {
    const answers = await inParallel(() =>
      Array.from({ length: 10 }, (_, n) => event(user, 'raced', [promptPart(`${n}`)], { key: `k${n}` })),
    );
    const outcomes = answers.flat();
    expect(outcomes.filter((outcome) => outcome.status === 'accepted').length).toBe(10);
    expect(outcomes.filter((outcome) => outcome.status === 'duplicate').length).toBe(10 * (AT_ONCE - 1));
    for (let n = 0; n < 10; n += 1) expect(new Set(answers.map((answer) => answer[n]?.rowId)).size).toBe(1);
    expect(await db.count("prompts p JOIN sessions s ON s.id = p.session_id WHERE s.external_id = 'raced'")).toBe(10);
  });

  test('of first sessions of one project create one project, whichever hints each has', async () => {
    const tenant = await db.createUser();
    const hints = [{ remote: 'git@github.com:team/app.git', path: '/src/app' }, { path: '/src/app' }];
    await inParallel((writer) => [
      event(tenant, `first-${writer}`, [promptPart('hello')], { project: hints[writer % 2] ?? null }),
    ]);
    expect(await db.count('projects WHERE tenant_id = $1', [tenant.tenantId])).toBe(1);
    expect(
      await db.value('SELECT count(DISTINCT project_id)::integer AS value FROM sessions WHERE tenant_id = $1', [
        tenant.tenantId,
      ]),
    ).toBe(1);
  });

  test('that name the same new projects crosswise, of two tenants, do not wait for each other for ever', async () => {
    const tenants = [await db.createUser(), await db.createUser()];
    const names = Array.from({ length: 12 }, (_, index) => `project-${index}`);
    const before = await deadlocks();
    await inParallel((writer) => {
      const events = tenants.flatMap((tenant) =>
        names.map((name, index) => {
          // Session ids sort one way for even writers and the other way for odd ones.
          const place = writer % 2 === 0 ? index : names.length - index;
          return event(tenant, `cross-${String(place).padStart(2, '0')}-${writer}`, [promptPart('hello')], {
            project: { name },
          });
        }),
      );
      return writer % 3 === 0 ? events.toReversed() : events;
    });
    expect(await deadlocks()).toBe(before);
    for (const tenant of tenants)
      expect(await db.count('projects WHERE tenant_id = $1', [tenant.tenantId])).toBe(names.length);
  });
});
