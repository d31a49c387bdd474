import { randomInt } from 'node:crypto';
import { request } from 'node:https';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { trustAuthorities } from '../../config/engine-settings.ts';
import { processEnvironment } from '../../config/process-environment.ts';
import { randomFrom } from '../domain/support/random.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { until } from '../setup/until.ts';
import { ReplayClient } from './support/clients.ts';
import { startComposeProcesses } from './support/compose-processes.ts';
import type { ComposeProcesses, ProcessName } from './support/compose-processes.ts';
import { SHORT_TIMES } from './support/fault-instance.ts';
import { expectEnded, expectEveryVector, expectNoFailedWorkflow } from './support/outcome.ts';
import { clientScripts } from './support/recorded-sessions.ts';
import { expectStoredOnce } from './support/stored-rows.ts';
import { insideOf } from './support/test-instance-inside.ts';

const KILLS = 3;
const SHAPE = { clients: 8, sessionsEach: 1, events: 12 } as const;
const LONGEST_REST_MS = 200;
const SETTLE_TIMEOUT_MS = 600_000;
const MEGABYTE = 1024 * 1024;
/** Above what the proxy could hold in memory or on disk for all requests. */
const LARGE_BYTES = 70 * MEGABYTE;
/** As `limit_conn` of deploy/compose/nginx.conf. */
const BUFFERED_BODIES = 128;
const seed = Number(processEnvironment()['FAULTS_SEED'] ?? randomInt(1, 1_000_000));
const say = (text: string) => process.stderr.write(`${text}\n`);
const seconds = (sinceMs: number) => Math.round((performance.now() - sinceMs) / 100) / 10;

const instance = fileInstance(SHORT_TIMES);
let processes: ComposeProcesses;

beforeAll(async () => {
  processes = await startComposeProcesses(instance);
  trustAuthorities({ authorities: [processes.certificate] });
  say(`seed ${seed}; ready after ${JSON.stringify(processes.readySeconds)} s`);
});
afterAll(() => processes.close());

test('health is 200 through the proxy by TLS, and plain requests are redirected', async () => {
  const health = await fetch(`${processes.url}/api/v1/health`);
  expect(health.status).toBe(200);
  expect(await health.json()).toMatchObject({ status: 'ok' });
  expect(health.headers.get('strict-transport-security')).toBe('max-age=31536000');
  const plain = await fetch(`${processes.plainUrl}/api/v1/health`, { redirect: 'manual' });
  expect([plain.status, plain.headers.get('location')]).toEqual([308, 'https://127.0.0.1/api/v1/health']);
});

/** Begins a request without a key, whose body does not end. `onResponse` gets its answer. */
function beginRequest(route: string, bytes: number, onResponse: (response: IncomingMessage) => void): ClientRequest {
  const sending = request(`${processes.url}/api/v1${route}`, {
    method: 'POST',
    agent: false,
    ca: processes.certificate,
    headers: { 'content-type': 'application/json', 'content-length': bytes },
  });
  sending.on('response', onResponse).write(' '.repeat(Math.min(bytes - 1, MEGABYTE)));
  return sending;
}

test.each(['/hooks/PostToolUse', '/events/batch', '/imports/files', '/memories/batch'])(
  'a large body for %s without a key is refused before it has arrived',
  async (route) => {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const sending = beginRequest(route, LARGE_BYTES, resolve).on('error', reject);
    const response = await promise;
    expect([response.statusCode, await json(response)]).toEqual([
      401,
      expect.objectContaining({ code: 'UNAUTHENTICATED' }),
    ]);
    sending.destroy();
  },
);

test('small bodies beyond those that the proxy buffers pass through', async () => {
  const statuses: (number | undefined)[] = [];
  const sending = Array.from({ length: BUFFERED_BODIES + 8 }, () =>
    beginRequest('/events', 100, (response) => statuses.push(response.resume().statusCode)).on('error', () => {
      // Closed below.
    }),
  );
  await until(async () => (statuses.length >= 8 ? true : undefined), 30_000, 'answers to the bodies that pass through');
  const response = await fetch(`${processes.url}/api/v1/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${instance.admin.key}`, 'content-type': 'application/json' },
    body: '{}',
  });
  expect([response.status, new Set(statuses)]).toEqual([422, new Set([401])]);
  expect(statuses).toHaveLength(8);
  for (const each of sending) each.destroy();
});

test.each<ProcessName>(['api-1', 'api-2', 'worker-1', 'worker-2'])(
  `${KILLS} kills of %s under load lose nothing, and no request is refused`,
  async (name) => {
    const random = randomFrom(seed + name.length * 7_919 + Number(name.at(-1)));
    const started = performance.now();
    const clients = clientScripts(`${seed}-${name}`, SHAPE, random).map(
      (scripts) => new ReplayClient(scripts, randomFrom(Math.floor(random() * 2 ** 32))),
    );
    const credentials = { url: processes.url, apiKey: instance.admin.key };
    for (let round = 0; round < KILLS; round += 1) {
      const shares = clients.map((client) => client.sizeOf(round, KILLS));
      const killAt = Math.floor(random() * shares.reduce((sum, share) => sum + share, 0));
      const moment = Promise.withResolvers<void>();
      let count = 0;
      const onAccepted = () => {
        count += 1;
        if (count === killAt + 1) moment.resolve(processes.restart(name));
      };
      await Promise.all(
        clients.map((client, index) => client.send(credentials, shares[index] ?? 0, LONGEST_REST_MS, onAccepted)),
      );
      await moment.promise;
    }
    const sum = (part: 'unanswered' | 'unavailable' | 'answeredBefore') =>
      clients.reduce((total, client) => total + client.trouble[part], 0);
    const accepted = new Map(clients.flatMap((client) => [...client.accepted]));
    expect(accepted.size).toBe(SHAPE.clients * SHAPE.sessionsEach);
    const inside = insideOf(instance);
    const { rows } = await expectStoredOnce(inside, accepted);
    const sessions = await expectEnded(inside, [...accepted.keys()], SETTLE_TIMEOUT_MS);
    await expectStoredOnce(inside, accepted);
    const { vectors } = await expectEveryVector(inside);
    await expectNoFailedWorkflow(inside, sessions);
    say(
      `${name}: ${rows} rows of ${accepted.size} sessions, ${sum('unanswered')} requests without a response, ${sum('unavailable')} with 503, ` +
        `${sum('answeredBefore')} answered as duplicates; ${vectors} vectors; ${seconds(started)} s`,
    );
    // The proxy sends a request of a killed process to the other one: clients need no retry.
    expect({ unanswered: sum('unanswered'), unavailable: sum('unavailable') }).toEqual({
      unanswered: 0,
      unavailable: 0,
    });
  },
);

test('lines of events longer than the memory of the proxy are answered, although answers are ready before the last line', async () => {
  const line = (type: string, content: string) => `${JSON.stringify({ type, session_id: 'of-lines', content })}\n`;
  const unknown = line('unknown', 'x'.repeat(1_000_000));
  const count = Math.ceil(LARGE_BYTES / unknown.length);
  const response = await fetch(`${processes.url}/api/v1/events/batch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${instance.admin.key}`, 'content-type': 'application/x-ndjson' },
    body: [line('prompt', 'first'), unknown.repeat(count), line('prompt', 'last')].join(''),
  });
  expect(response.status).toBe(202);
  const answers = (await response.text()).trimEnd().split('\n');
  expect(JSON.parse(answers.at(-1) ?? '')).toEqual({ accepted: 2, duplicates: 0, rejected: count });
  expect(answers).toHaveLength(count + 3);
});

test('lines beyond the most of a request are named, although they are longer than the memory of the proxy', async () => {
  const line = (content: string) => `${JSON.stringify({ type: 'unknown', session_id: 'too-many', content })}\n`;
  const large = line('x'.repeat(1_000_000));
  const count = Math.ceil(LARGE_BYTES / large.length);
  const response = await fetch(`${processes.url}/api/v1/events/batch`, {
    method: 'POST',
    headers: { authorization: `Bearer ${instance.admin.key}`, 'content-type': 'application/x-ndjson' },
    body: `${line('').repeat(40_000)}${large.repeat(count)}`,
  });
  const answers = (await response.text()).trimEnd().split('\n');
  expect(answers.slice(-2).map((text): unknown => JSON.parse(text))).toEqual([
    expect.objectContaining({ index: 30_000, code: 'BODY_TOO_LARGE' }),
    { accepted: 0, duplicates: 0, rejected: 40_000 + count },
  ]);
});

// Last: the import of a file without content fails.
test('a file longer than the memory of the proxy is stored', async () => {
  const response = await fetch(`${processes.url}/api/v1/imports/files`, {
    method: 'POST',
    headers: { authorization: `Bearer ${instance.admin.key}`, 'content-type': 'application/zstd' },
    body: new Uint8Array(LARGE_BYTES),
  });
  expect([response.status, await response.json()]).toEqual([
    202,
    expect.objectContaining({ kind: 'file', bytes: LARGE_BYTES }),
  ]);
});
