import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { sessionOf, settled } from '../setup/demo-session.ts';
import type { TestInstance } from '../setup/instance.ts';
import { captured, smallSession } from '../setup/small-session.ts';
import { until } from '../setup/until.ts';
import { composeServer } from './support/containers/compose-server.ts';
import type { ComposeServer } from './support/containers/compose-server.ts';
import { documentedCalls } from './support/containers/documented.ts';
import { docker } from './support/containers/docker.ts';
import { linkPrograms } from './support/containers/programs.ts';
import { run } from './support/tools.ts';

// The services of deploy/compose/compose.yaml as processes, with their commands, variables, secrets and health checks, and the procedures of
// docs/servers.md on them: docs/servers.md#checks-of-these-files.

const SCRIPT = path.resolve(import.meta.dirname, '../../deploy/compose/create-secrets.sh');
/** What settings.env may have: a session ends after a second, not two minutes. */
const SETTINGS = { RECOLLECT_WINDOW_QUIET_MS: '1000', RECOLLECT_HINT_DELAY_MS: '200' };
const QUESTIONS = ['rounding of invoices', 'banker rounding money.ts', 'which tests passed'];
const AVAILABLE_MS = 120_000;
const SEARCHABLE_MS = 300_000;

const folder = mkdtempSync(path.join(tmpdir(), 'recollect-compose-run-'));
// The users of PostgreSQL and nginx, if root runs this.
chmodSync(folder, 0o711);
const secrets = path.join(folder, 'secrets');
const servers: ComposeServer[] = [];
let server: ComposeServer;
const say = (text: string) => process.stderr.write(`${text}\n`);

async function newServer(name: string): Promise<ComposeServer> {
  const own = path.join(folder, name);
  const programs = await linkPrograms(path.join(own, 'programs'));
  const created = await composeServer({ folder: own, secrets, settings: SETTINGS, programs });
  servers.push(created);
  return created;
}

beforeAll(async () => {
  const { status, stderr } = run(SCRIPT, ['localhost', secrets]);
  if (status !== 0) throw new Error(stderr);
  server = await newServer('first');
});
afterAll(async () => {
  for (const each of servers) await each.down();
  rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
});

const found = z.looseObject({ data: z.array(z.looseObject({ id: z.string(), content: z.string() })) });

type Api = Pick<TestInstance, 'call'>;

/** Returns the API of a process, with the key of the operator. */
function apiOf(name: 'api-1' | 'api-2'): Api {
  const key = readFileSync(path.join(secrets, 'operator_key'), 'utf8').trim();
  const url = `http://127.0.0.1:${server.places.port(name, 37_700)}/api/v1`;
  return {
    async call(method, route, { body } = {}) {
      const response = await fetch(`${url}${route}`, {
        method,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      });
      return { status: response.status, headers: response.headers, body: await response.json() };
    },
  };
}

/** Runs the commands of the documentation below a heading. Returns their outputs. `after` runs after each. */
async function runDocumented(
  heading: string,
  paths: Readonly<Record<string, string>> = {},
  after: () => Promise<void> = async () => {},
): Promise<string[]> {
  const outputs: string[] = [];
  for (const call of documentedCalls(heading, paths)) {
    const started = performance.now();
    outputs.push(await docker(server, call));
    await after();
    say(`docker ${call.join(' ')}: ${((performance.now() - started) / 1_000).toFixed(1)} s`);
  }
  return outputs;
}

/** Returns what is remembered: sessions with their counts, and what each query finds. */
async function memory(api: Api, ids: readonly string[]) {
  const results = QUESTIONS.map(async (question) => {
    const { body } = await api.call('GET', `/search?q=${encodeURIComponent(question)}&limit=50&nearest=true`);
    return found
      .parse(body)
      .data.map(({ id, content }) => `${id} ${content}`)
      .toSorted();
  });
  return {
    sessions: await Promise.all(ids.map((id) => sessionOf(api, `test:${id}`))),
    found: await Promise.all(results),
  };
}

test('all services become healthy in their order, and the migration can be repeated', async () => {
  const started = performance.now();
  await docker(server, ['compose', 'up', '--detach', '--wait']);
  say(`up: ${((performance.now() - started) / 1_000).toFixed(1)} s`);
  const repeated = await docker(server, ['compose', 'run', '--rm', 'migration']);
  expect(repeated).toContain('PostgreSQL: roles and database exist; schema is current');
  for (const name of ['api-1', 'api-2'] as const)
    expect(await apiOf(name).call('GET', '/health/ready')).toMatchObject({ status: 200 });
});

test.each([
  ['api-1', 200],
  ['another', 421],
])('a request to the host %s gets %i', async (host, expected) => {
  const port = server.places.port('api-1', 37_700);
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>();
  request({ port, path: '/api/v1/health', headers: { host: `${host}:37700` } }, (response) =>
    resolve(response.resume().statusCode),
  )
    .on('error', reject)
    .end();
  expect(await promise).toBe(expected);
});

test('a session that one api captured settles, and the other one reads it', async () => {
  await captured(apiOf('api-1'), smallSession('ended'));
  const session = await settled(apiOf('api-2'), 'test:ended');
  expect(session.counts).toMatchObject({ prompts: 2, observations: 3, windows_parked: 0, vectors_failed: 0 });
  expect(session.counts.summaries).toBeGreaterThan(0);
});

test('the documented upgrade loses nothing, and the services serve between its steps', async () => {
  const before = await memory(apiOf('api-2'), ['ended']);
  const [first, ...rest] = smallSession('upgraded', { path: '/src/upgraded' });
  const last = rest.splice(-3);
  await captured(apiOf('api-1'), [first]);
  const processes = server.processes();
  expect(Object.keys(processes)).toHaveLength(8);
  let sent = 0;
  const outputs = await runDocumented('### Upgrade', {}, async () => {
    sent += 1;
    const event = { ...rest[0], key: `upgraded-${sent}`, content: `Step ${sent} of the upgrade` };
    for (const name of ['api-1', 'api-2'] as const)
      await until(
        async () => {
          const { status } = await apiOf(name).call('POST', '/events/batch', { body: [event] });
          return status === 202 || undefined;
        },
        AVAILABLE_MS,
        `${name} to capture`,
      );
  });
  expect(outputs.length).toBeGreaterThan(9);
  expect(outputs.join('')).toContain('schema is current');
  const replaced = Object.entries(server.processes()).filter(([name, pid]) => pid !== processes[name]);
  expect(replaced.map(([name]) => name)).toEqual(Object.keys(processes));
  await captured(apiOf('api-2'), last);
  const session = await settled(apiOf('api-1'), 'test:upgraded');
  expect(session.counts).toMatchObject({ prompts: sent + 1, windows_parked: 0, vectors_failed: 0 });
  const { sessions } = await memory(apiOf('api-1'), ['ended']);
  expect(sessions).toEqual(before.sessions);
});

test('the documented commands of administration succeed', async () => {
  const [doctor = '', backup = '', list = '', restore = ''] = await runDocumented('### Administration');
  expect(doctor).not.toMatch(/^fail /m);
  expect(doctor).toContain('ok    Weaviate');
  const id = /^([\da-f-]{36}): .* rows and .* vectors/.exec(backup)?.[1] ?? 'no id';
  expect(list).toContain(id);
  expect(restore).toContain(id);
});

test('the documented restore on a new server brings the memory back, from the secrets and the backups alone', async () => {
  const known = await memory(apiOf('api-1'), ['ended', 'upgraded']);
  await server.down();
  const backups = path.join(server.volumes, 'stores/backups');
  server = await newServer('second');
  const outputs = await runDocumented('### Restore', { '/path/to/backups': backups });
  expect(outputs.at(-1)).toContain('restored in');
  const api = apiOf('api-2');
  await until(
    async () => {
      const now = await memory(api, []);
      return JSON.stringify(now.found) === JSON.stringify(known.found) || undefined;
    },
    SEARCHABLE_MS,
    async () => `the same results, not ${JSON.stringify(await memory(api, []))}`,
  );
  expect(await memory(api, ['ended', 'upgraded'])).toEqual(known);
  await captured(apiOf('api-1'), smallSession('after'));
  await settled(api, 'test:after');
});
