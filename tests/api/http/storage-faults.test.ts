import { describe, expect, test } from 'vitest';
import { createApiDependencies } from '../../../api/dependencies.ts';
import { createServer } from '../../../api/server.ts';
import { parseConfig } from '../../../config/config.ts';
import { createLogger } from '../../../telemetry/logger.ts';
import { startSilentProxy } from '../../stores/postgres/support/silent-proxy.ts';
import { writingNothing, expectError } from '../support/answers.ts';
import { closedPort } from '../support/closed-port.ts';
import { fileInstance } from '../../setup/file-instance.ts';

// It ends idle transactions, too: long enough for a busy machine.
const instance = fileInstance({ RECOLLECT_DB_STATEMENT_TIMEOUT_MS: '1500' });

const prompt = (session: string, content: string) => ({ type: 'prompt', session_id: session, content });
const capture = (session: string, content: string) => instance.post('/events', prompt(session, content));

describe('storage that does not answer', () => {
  test('in time is a reason to come again, never to give the event up', async () => {
    expect((await capture('locked', 'first')).status).toBe(202);
    const holder = await instance.db.maintenance.connect();
    try {
      await holder.query('BEGIN');
      await holder.query("SELECT 1 FROM sessions WHERE external_id = 'locked' FOR UPDATE");
      const [one, many, lines] = await writingNothing(instance, () =>
        Promise.all([
          capture('locked', 'second'),
          instance.post('/events/batch', [prompt('locked', 'third'), prompt('locked', 'fourth')]),
          instance.call('POST', '/events/batch', {
            raw: JSON.stringify(prompt('locked', 'fifth')),
            headers: { 'content-type': 'application/x-ndjson' },
          }),
        ]),
      );
      for (const answer of [one, many]) {
        expectError(answer, 'STORAGE_UNAVAILABLE');
        expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
      }
      expect(String(lines.body)).toContain('"code":"STORAGE_UNAVAILABLE"');
    } finally {
      await holder.query('ROLLBACK');
      holder.release();
    }
    expect((await capture('locked', 'second')).status).toBe(202);
  });

  test('because the connection vanished silently delays capture for seconds, not for the TCP timeout of the system', async () => {
    const proxy = await startSilentProxy(instance.db.url('app'));
    const config = parseConfig({ ...instance.environment, RECOLLECT_DATABASE_URL: proxy.url });
    const logger = createLogger('test', 'error');
    const dependencies = createApiDependencies(config, logger);
    const server = await createServer({ dependencies, logger, isStopping: () => false });
    try {
      const url = await server.listen({ host: '127.0.0.1', port: 0 });
      const call = async (path: string, body?: unknown) => {
        const answer = await fetch(`${url}/api/v1${path}`, {
          ...(body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }),
          headers: { authorization: `Bearer ${instance.admin.key}`, 'content-type': 'application/json' },
        });
        return { status: answer.status, code: /"code":"([A-Z_]+)"/.exec(await answer.text())?.[1] };
      };
      expect((await call('/events', prompt('silent', 'first'))).status).toBe(202);
      for (const ask of [() => call('/events', prompt('silent', 'second')), () => call('/sessions')]) {
        proxy.fallSilent();
        expect(await ask()).toEqual({ status: 503, code: 'STORAGE_UNAVAILABLE' });
        expect((await call('/events', prompt('silent', `after ${performance.now()}`))).status).toBe(202);
        expect((await call('/sessions')).status).toBe(200);
      }
    } finally {
      await server.close();
      await dependencies.close();
      await proxy.close();
    }
  }, 240_000);

  test('because it is stopped is reported the same way by every route, and by readiness', async () => {
    const config = parseConfig({
      ...instance.environment,
      RECOLLECT_DATABASE_URL: `postgresql://recollect_app:x@127.0.0.1:${await closedPort()}/none`,
    });
    const logger = createLogger('test', 'error');
    const dependencies = createApiDependencies(config, logger);
    const server = await createServer({ dependencies, logger, isStopping: () => false });
    try {
      const headers = { authorization: `Bearer ${instance.admin.key}` };
      for (const [method, url] of [
        ['POST', '/events'],
        ['POST', '/hooks/Stop'],
        ['GET', '/sessions'],
        ['GET', '/search?q=x'],
      ] as const) {
        const answer = await server.inject({
          method,
          url: `/api/v1${url}`,
          headers,
          ...(method === 'POST' ? { payload: prompt('s', 'x') } : {}),
        });
        expect([url, answer.statusCode, answer.json<{ code: string }>().code]).toEqual([
          url,
          503,
          'STORAGE_UNAVAILABLE',
        ]);
      }
      expect((await server.inject('/health')).json()).toMatchObject({
        status: 'down',
        dependencies: { postgres: { status: 'unavailable' } },
      });
      expect((await server.inject('/health/ready')).statusCode).toBe(503);
      expect((await server.inject('/health/live')).statusCode).toBe(200);
    } finally {
      await server.close();
      await dependencies.close();
    }
  });

  test('in one of many: an event that the store refuses for what is in it spoils no neighbour', async () => {
    await instance.db.owner.query("ALTER TABLE prompts ADD CONSTRAINT refuse_poison CHECK (content <> 'poison')");
    try {
      const body = [
        ...Array.from({ length: 9 }, (_, index) => prompt('poisoned', `good ${index}`)),
        prompt('poisoned', 'poison'),
        prompt('poisoned', 'good at the end'),
      ];
      const answer = await instance.post('/events/batch', body);
      expect(answer).toMatchObject({ status: 202, body: { accepted: 10, duplicates: 0, rejected: 1 } });
      expect(answer.body).toMatchObject({
        items: expect.arrayContaining([
          { index: 9, status: 'rejected', id: null, code: 'EVENT_NOT_STORABLE', message: expect.any(String) },
        ]),
      });
      expectError(await capture('poisoned', 'poison'), 'EVENT_NOT_STORABLE');
      expect(await instance.value("SELECT last_seq AS value FROM sessions WHERE external_id = 'poisoned'")).toBe(10);
    } finally {
      await instance.db.owner.query('ALTER TABLE prompts DROP CONSTRAINT refuse_poison');
    }
  });

  test('because a function is missing is our fault, not the event’s: it is not refused for good', async () => {
    await instance.db.owner.query('ALTER FUNCTION capture_events RENAME TO capture_events_away');
    try {
      expectError(await capture('later', 'retained by its sender'), 'INTERNAL');
    } finally {
      await instance.db.owner.query('ALTER FUNCTION capture_events_away RENAME TO capture_events');
    }
  });

  test('is also reported by the readiness of a server that is stopping', async () => {
    const logger = createLogger('test', 'error');
    const dependencies = createApiDependencies(instance.config, logger);
    const server = await createServer({ dependencies, logger, isStopping: () => true });
    expect((await server.inject('/health/ready')).statusCode).toBe(503);
    expect((await server.inject('/health/live')).statusCode).toBe(200);
    await server.close();
    await dependencies.close();
  });
});
