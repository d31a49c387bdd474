import { afterAll, beforeAll, expect, test } from 'vitest';
import { createPool } from '../../../../stores/postgres/connection/pool.ts';
import { createBurstWatch, BurstFlag, isBurst } from '../../../../stores/postgres/capture/burst-flag.ts';
import { createTestDatabase } from '../../../setup/database.ts';
import type { TestDatabase } from '../../../setup/database.ts';
import { until } from '../../../setup/until.ts';

let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.close());

function pool(applicationName: string) {
  return createPool({
    url: db.url('app'),
    max: 2,
    connectTimeoutMs: 2_000,
    statementTimeoutMs: 5_000,
    applicationName,
    onIdleError: () => undefined,
  });
}

test('is seen by others while it is up, from whoever put one up', async () => {
  const [first, second, watcher] = [pool('first'), pool('second'), pool('watcher')];
  const failures: unknown[] = [];
  const signs = [first, second].map((each) => new BurstFlag(each, (error) => failures.push(error)));
  expect(await isBurst(watcher)).toBe(false);
  for (const sign of signs) sign.show(true);
  await until(async () => {
    const up = await db.superuser.query(
      "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    );
    return up.rowCount === 2 ? true : undefined;
  });
  expect(await isBurst(watcher)).toBe(true);
  await signs[0]?.close();
  expect(await isBurst(watcher)).toBe(true);
  await signs[1]?.close();
  expect(await isBurst(watcher)).toBe(false);
  expect(failures).toEqual([]);
  await Promise.all([first, second, watcher].map((each) => each.end()));
});

test('follows what was said last, however fast it changes, and gives its connection back', async () => {
  const [own, watcher] = [pool('own'), pool('watcher')];
  const sign = new BurstFlag(own, () => undefined);
  for (const wanted of [true, false, true, false, true]) sign.show(wanted);
  await until(async () => ((await isBurst(watcher)) ? true : undefined));
  for (const wanted of [false, true, false]) sign.show(wanted);
  await sign.close();
  expect(await isBurst(watcher)).toBe(false);
  expect(own.idleCount).toBe(own.totalCount);
  await Promise.all([own.end(), watcher.end()]);
});

test('goes with its connection, and is put up again by the next flood', async () => {
  const [own, watcher] = [pool('lost'), pool('watcher')];
  const sign = new BurstFlag(own, () => undefined);
  sign.show(true);
  await until(async () => ((await isBurst(watcher)) ? true : undefined));
  await db.superuser.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lost'");
  await until(async () => ((await isBurst(watcher)) ? undefined : true));
  await until(async () => (own.totalCount === 0 ? true : undefined));
  sign.show(true);
  await until(async () => ((await isBurst(watcher)) ? true : undefined));
  await sign.close();
  expect(await isBurst(watcher)).toBe(false);
  await Promise.all([own.end(), watcher.end()]);
});

test('cannot be put up without PostgreSQL: that is said, and keeps nobody', async () => {
  const away = createPool({
    url: 'postgresql://nobody@127.0.0.1:1/nothing',
    max: 1,
    connectTimeoutMs: 500,
    statementTimeoutMs: 500,
    applicationName: 'away',
    onIdleError: () => undefined,
  });
  const failures: unknown[] = [];
  const sign = new BurstFlag(away, (error) => failures.push(error));
  sign.show(true);
  await until(async () => (failures.length > 0 ? true : undefined));
  await sign.close();
  expect(failures).toHaveLength(1);
  await away.end();
});

test('is asked for once by all who ask at the same time, and again a moment later', async () => {
  const [own, watcher] = [pool('shown'), pool('asked')];
  const watch = createBurstWatch(watcher);
  const sign = new BurstFlag(own, () => undefined);
  const answers = await Promise.all(Array.from({ length: 50 }, () => watch()));
  expect(answers).not.toContain(true);
  expect(watcher.totalCount).toBe(1);
  sign.show(true);
  await until(async () => ((await watch()) ? true : undefined));
  await sign.close();
  await until(async () => ((await watch()) ? undefined : true));
  await Promise.all([own.end(), watcher.end()]);
});
