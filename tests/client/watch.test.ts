import { afterAll, beforeAll, expect, test } from 'vitest';
import { RecollectClient } from '../../client/index.ts';
import type { StreamEvent } from '../../client/index.ts';
import { createApiDependencies } from '../../api/dependencies.ts';
import { createServer } from '../../api/server.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { makeKey } from '../api/support/access.ts';
import { noteEvent } from '../api/support/events.ts';
import { closedPort } from '../api/support/closed-port.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { until } from '../setup/until.ts';

const instance = fileInstance();
/** Of an api that is stopped and started again. */
let port: number;
let stop = async (): Promise<void> => undefined;

async function start(): Promise<void> {
  const logger = createLogger('test', 'error');
  const dependencies = createApiDependencies(instance.config, logger);
  const server = await createServer({ dependencies, logger, isStopping: () => false });
  await server.listen({ host: '127.0.0.1', port });
  stop = async () => {
    await server.close();
    await dependencies.close();
  };
}

beforeAll(async () => {
  port = await closedPort();
  await start();
});
afterAll(() => stop());

const clientOf = (apiKey: string) => new RecollectClient({ url: `http://127.0.0.1:${port}`, apiKey });
const note = (n: number, key: string) =>
  instance.post('/events', noteEvent('watched', `note ${n}`, { key: `k${n}` }), key);

test('yields every event once and in order, also over a restart of the server, until the signal aborts', async () => {
  const { key } = await instance.user();
  const events: StreamEvent[] = [];
  const controller = new AbortController();
  const watching = (async () => {
    const watched = clientOf(key).watch({ type: 'observation.added' }, { signal: controller.signal });
    for await (const event of watched) events.push(event);
  })();
  const seen = () => events.flatMap((event) => (event.type === 'observation.added' ? [event.data['last_seq']] : []));
  await until(async () => (events[0]?.type === 'ready' ? true : undefined));
  for (let n = 1; n <= 5; n += 1) await note(n, key);
  await until(async () => (seen().length === 5 ? true : undefined));
  await stop();
  for (let n = 6; n <= 55; n += 1) await note(n, key);
  await start();
  await until(async () => (seen().at(-1) === 55 ? true : undefined));
  await note(56, key);
  await until(async () => (seen().at(-1) === 56 ? true : undefined));
  expect(seen()).toEqual(Array.from({ length: 56 }, (_, n) => n + 1));
  expect(events.filter(({ type }) => type !== 'observation.added').map(({ type }) => type)).toEqual(['ready', 'ready']);
  controller.abort();
  await expect(watching).rejects.toMatchObject({ code: 'ABORTED' });
});

test('ends after the events until now without follow, and continues after an id', async () => {
  const { key } = await instance.user();
  const all = async (last_event_id?: string) => {
    const events: StreamEvent[] = [];
    for await (const event of clientOf(key).watch({ last_event_id, follow: false })) events.push(event);
    return events;
  };
  const [ready] = await all();
  await note(1, key);
  const events = await all(ready?.id);
  expect(events.map(({ type }) => type)).toEqual(['ready', 'session.created', 'observation.added']);
  expect((await all(events[1]?.id)).map(({ type }) => type)).toEqual(['ready', 'observation.added']);
});

test('rejects once the key does not work any more', async () => {
  const { key, api_key: secret } = await makeKey(instance);
  const watched = clientOf(secret).watch();
  expect((await watched.next()).value).toMatchObject({ type: 'ready' });
  const next = watched.next();
  await instance.delete(`/admin/api-keys/${key.id}`);
  await expect(next).rejects.toMatchObject({ code: 'INVALID_API_KEY', status: 401 });
});
