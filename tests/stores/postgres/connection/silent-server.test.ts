import { describe, expect, test } from 'vitest';
import { toApiError } from '../../../../api/errors.ts';
import { captureEvents } from '../../../../stores/postgres/capture/capture.ts';
import { createDatabase } from '../../../../stores/postgres/connection/database.ts';
import type { Database } from '../../../../stores/postgres/connection/database.ts';
import { fileDatabase, fileUser } from '../../../setup/database.ts';
import { event, promptPart } from '../support/captures.ts';
import { startSilentProxy } from '../support/silent-proxy.ts';
import type { SilentProxy } from '../support/silent-proxy.ts';

const STATEMENT_TIMEOUT_MS = 3_000;
/** How long a silent connection is waited for; without a limit the test would time out. */
const SILENCE_MS = STATEMENT_TIMEOUT_MS + 5_000;

const db = fileDatabase();
const user = fileUser(db);

interface Silent {
  readonly proxy: SilentProxy;
  readonly database: Database;
  /** Connections that were lost while idle. */
  lost: number;
  readonly capture: () => Promise<unknown>;
  readonly count: () => Promise<number>;
  readonly read: () => Promise<unknown>;
}

let captures = 0;

/** Runs a test with connections of its own, through a proxy of its own: the tests wait at the same time. */
async function withProxy(run: (silent: Silent) => Promise<void>): Promise<void> {
  const proxy = await startSilentProxy(db.url('app'));
  const database = createDatabase({
    privateRows: 'all',
    url: proxy.url,
    max: 2,
    connectTimeoutMs: 30_000,
    statementTimeoutMs: STATEMENT_TIMEOUT_MS,
    applicationName: 'silent',
    onIdleError: () => {
      silent.lost += 1;
    },
  });
  const silent: Silent = {
    proxy,
    database,
    lost: 0,
    capture() {
      captures += 1;
      return captureEvents(database.pool, [event(user, 'silent', [promptPart(`words ${captures}`)])]);
    },
    count: () => database.asTenant(user.tenantId, (transaction) => transaction.session.count()),
    read: () =>
      database.readAsTenant(user.tenantId, (ask) =>
        ask({ name: 'silent', text: 'SELECT count(*) FROM sessions', values: [] }),
      ),
  };
  try {
    await run(silent);
  } finally {
    await database.close();
    await proxy.close();
  }
}

describe('a server that falls silent', { concurrent: true }, () => {
  test.each<[string, 'capture' | 'count' | 'read']>([
    ['a capture', 'capture'],
    ['a transaction', 'count'],
    ['a read', 'read'],
  ])('%s on a connection whose server vanished fails in time; later calls use new connections', (_, ask) =>
    withProxy(async (silent) => {
      const { proxy, database, capture, count, read } = silent;
      // Both connections of the pool are open, and both are silent from now on.
      await Promise.all([capture(), count()]);
      expect(database.pool.totalCount).toBe(2);
      proxy.fallSilent();
      const before = proxy.opened;
      const started = performance.now();
      const failure: unknown = await silent[ask]().then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(toApiError(failure).code).toBe('STORAGE_UNAVAILABLE');
      const tookMs = performance.now() - started;
      expect(tookMs).toBeGreaterThan(SILENCE_MS - 1_000);
      expect(silent.lost).toBe(1);
      const again = performance.now();
      expect(await capture()).toMatchObject([{ status: 'accepted' }]);
      expect(await count()).toBe(1);
      await read();
      expect(performance.now() - again).toBeLessThan(SILENCE_MS);
      expect(proxy.opened).toBeGreaterThan(before);
      // The pool lost no connection: all are available at once.
      await Promise.all([capture(), count(), read(), count()]);
      expect(database.pool.totalCount).toBeLessThanOrEqual(2);
      expect(database.pool.waitingCount).toBe(0);
    }),
  );

  test('a capture without a response fails with an error that its sender retries', () =>
    withProxy(async ({ proxy, capture }) => {
      await capture();
      proxy.fallSilent();
      await expect(capture()).rejects.toMatchObject({ code: 'ETIMEDOUT', name: 'ServerSilent' });
    }));

  test('a slow statement is still ended by the server, and its connection stays open', () =>
    withProxy(async (silent) => {
      const { proxy, database, capture } = silent;
      await capture();
      const before = proxy.opened;
      await expect(database.pool.query('SELECT pg_sleep(60)')).rejects.toMatchObject({ code: '57014' });
      await capture();
      expect(proxy.opened - before).toBeLessThanOrEqual(1);
      expect(silent.lost).toBe(0);
    }));
});
