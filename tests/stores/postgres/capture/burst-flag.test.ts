import { expect, test } from 'vitest';
import { createPool } from '../../../../stores/postgres/connection/pool.ts';
import { createBurstWatch, BurstFlag, isBurst } from '../../../../stores/postgres/capture/burst-flag.ts';
import { fileDatabase } from '../../../setup/database.ts';
import { until } from '../../../setup/until.ts';

const db = fileDatabase();

function pool(applicationName: string) {
  return createPool({
    url: db.url('app'),
    max: 2,
    connectTimeoutMs: 30_000,
    statementTimeoutMs: 30_000,
    applicationName,
    onIdleError: () => undefined,
  });
}

test('is visible to other connections while at least one process shows it', async () => {
  const [first, second, watcher] = [pool('first'), pool('second'), pool('watcher')];
  const failures: unknown[] = [];
  const flags = [first, second].map((each) => new BurstFlag(each, (error) => failures.push(error)));
  expect(await isBurst(watcher)).toBe(false);
  for (const flag of flags) flag.show(true);
  await until(async () => {
    const up = await db.rows(
      "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    );
    return up.length === 2 ? true : undefined;
  });
  expect(await isBurst(watcher)).toBe(true);
  await flags[0]?.close();
  expect(await isBurst(watcher)).toBe(true);
  await flags[1]?.close();
  expect(await isBurst(watcher)).toBe(false);
  expect(failures).toEqual([]);
  await Promise.all([first, second, watcher].map((each) => each.end()));
});

test('follows the last change, however fast changes come, and releases its connection', async () => {
  const [own, watcher] = [pool('own'), pool('watcher')];
  const flag = new BurstFlag(own, () => undefined);
  for (const wanted of [true, false, true, false, true]) flag.show(wanted);
  await until(async () => ((await isBurst(watcher)) ? true : undefined));
  for (const wanted of [false, true, false]) flag.show(wanted);
  await flag.close();
  expect(await isBurst(watcher)).toBe(false);
  expect(own.idleCount).toBe(own.totalCount);
  await Promise.all([own.end(), watcher.end()]);
});

test('ends with its connection, and is shown again by the next burst', async () => {
  const [own, watcher] = [pool('lost'), pool('watcher')];
  const flag = new BurstFlag(own, () => undefined);
  flag.show(true);
  await until(async () => ((await isBurst(watcher)) ? true : undefined));
  await db.database.pool.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'lost'",
  );
  await until(async () => ((await isBurst(watcher)) ? undefined : true));
  await until(async () => (own.totalCount === 0 ? true : undefined));
  flag.show(true);
  await until(async () => ((await isBurst(watcher)) ? true : undefined));
  await flag.close();
  expect(await isBurst(watcher)).toBe(false);
  await Promise.all([own.end(), watcher.end()]);
});

test('reports a failure once, and blocks no caller, if PostgreSQL is unavailable', async () => {
  const unavailable = createPool({
    url: 'postgresql://unknown@127.0.0.1:1/nothing',
    max: 1,
    connectTimeoutMs: 500,
    statementTimeoutMs: 500,
    applicationName: 'unavailable',
    onIdleError: () => undefined,
  });
  const failures: unknown[] = [];
  const flag = new BurstFlag(unavailable, (error) => failures.push(error));
  flag.show(true);
  await until(async () => (failures.length > 0 ? true : undefined));
  await flag.close();
  expect(failures).toHaveLength(1);
  await unavailable.end();
});

test('is queried once for concurrent calls, and again a moment later', async () => {
  const [own, watcher] = [pool('shown'), pool('queried')];
  const watch = createBurstWatch(watcher);
  const flag = new BurstFlag(own, () => undefined);
  const answers = await Promise.all(Array.from({ length: 50 }, () => watch()));
  expect(answers).not.toContain(true);
  expect(watcher.totalCount).toBe(1);
  flag.show(true);
  await until(async () => ((await watch()) ? true : undefined));
  await flag.close();
  await until(async () => ((await watch()) ? undefined : true));
  await Promise.all([own.end(), watcher.end()]);
});
