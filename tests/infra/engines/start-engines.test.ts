import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { processEnvironment } from '../../../config/process-environment.ts';
import { type RunningEngines, startEngines } from '../../../infra/engines/start-engines.ts';
import { cacheDirectory } from '../../../infra/instance/cache-directory.ts';
import { superuserUrl } from '../../../infra/instance/environment.ts';
import { isAlive } from '../../../infra/supervisor/process-identity.ts';
import { readState, writeState } from '../../../infra/supervisor/state.ts';
import { longLivedFolder } from '../support/long-lived-folder.ts';
import { recordProgress } from '../support/progress.ts';

const environment = processEnvironment();
const cacheDir = cacheDirectory(environment);
const folder = longLivedFolder();
const dataDir = path.join(folder, 'closed', 'data');
let engines: RunningEngines;

const start = (progress = recordProgress()): Promise<RunningEngines> =>
  startEngines({ dataDir, cacheDir, environment, progress, signal: new AbortController().signal, ports: 'saved' });

beforeAll(async () => {
  // As `mktemp -d` and a closed home directory have it: nobody else can search what is above.
  mkdirSync(path.join(folder, 'closed'), { mode: 0o700 });
  // What a start leaves that was killed while it made the database.
  mkdirSync(path.join(dataDir, 'postgres.new-1', 'base'), { recursive: true });
  writeFileSync(path.join(dataDir, 'postgres.new-1', 'PG_VERSION'), '18\n');
  writeFileSync(path.join(dataDir, 'postgres.new-1.password'), 'old');
  engines = await startEngines({
    dataDir,
    cacheDir,
    environment,
    progress: recordProgress(),
    signal: new AbortController().signal,
  });
});

afterAll(() => engines.stop(), 60_000);

async function query(text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: superuserUrl(engines.instance) });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

test('PostgreSQL answers, keeps its promise of durability, and listens on this machine only', async () => {
  const rows = await query(
    `SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'listen_addresses', 'data_checksums', 'password_encryption') ORDER BY name`,
  );
  expect(rows).toEqual([
    { name: 'data_checksums', setting: 'on' },
    { name: 'fsync', setting: 'on' },
    { name: 'listen_addresses', setting: '127.0.0.1' },
    { name: 'password_encryption', setting: 'scram-sha-256' },
    { name: 'synchronous_commit', setting: 'on' },
  ]);
  expect(existsSync(path.join(dataDir, 'postgres.new-1'))).toBe(false);
  expect(existsSync(path.join(dataDir, 'postgres.new-1.password'))).toBe(false);
});

test('a wrong password is refused', async () => {
  const { host, port, user } = engines.postgres;
  const client = new Client({ host, port, user, password: 'wrong', database: 'postgres' });
  await expect(client.connect()).rejects.toMatchObject({ code: '28P01' });
});

test('Temporal has its schema and takes a namespace that is usable at once', async () => {
  const connection = await Connection.connect({ address: engines.temporal.address });
  try {
    await connection.workflowService.registerNamespace({
      namespace: 'probe',
      workflowExecutionRetentionPeriod: msToTs(86_400_000),
    });
    const { namespaceInfo } = await connection.workflowService.describeNamespace({ namespace: 'probe' });
    expect(namespaceInfo?.name).toBe('probe');
  } finally {
    await connection.close();
  }
  const databases = await query(`SELECT datname FROM pg_database WHERE datname LIKE 'temporal%' ORDER BY 1`);
  expect(databases).toEqual([{ datname: 'temporal' }, { datname: 'temporal_visibility' }]);
});

test('Weaviate asks for its key', async () => {
  const { url, apiKey } = engines.weaviate;
  expect((await fetch(`${url}/v1/schema`)).status).toBe(401);
  const allowed = await fetch(`${url}/v1/schema`, { headers: { authorization: `Bearer ${apiKey}` } });
  expect(await allowed.json()).toEqual({ classes: [] });
});

test('no log tells a secret', () => {
  const secrets = Object.values(engines.instance.secrets);
  for (const name of ['postgres', 'temporal', 'weaviate']) {
    const log = readFileSync(path.join(dataDir, 'logs', `${name}.log`), 'utf8');
    for (const secret of secrets) expect(log.includes(secret)).toBe(false);
  }
});

test('each engine that is killed comes back by itself with what it had', async () => {
  await query('CREATE TABLE kept (id int); INSERT INTO kept VALUES (7)');
  for (const name of ['postgres', 'temporal', 'weaviate'] as const) engines.service(name).kill('SIGKILL');
  await Promise.all((['postgres', 'temporal', 'weaviate'] as const).map((name) => engines.service(name).whenReady()));
  expect(await query('SELECT id FROM kept')).toEqual([{ id: 7 }]);
  expect(engines.service('postgres').state.restarts).toBeGreaterThan(0);
}, 240_000);

test('a second start on the same data directory is refused while the first one lives', async () => {
  await expect(start()).rejects.toMatchObject({ name: 'AlreadyRunningError', pid: process.pid });
});

test('after a stop nothing is left; engines whose supervisor was killed are ended by the next start, which has the same ports and data', async () => {
  const { ports, layout } = engines.instance;
  const before = Object.values(readState(layout.stateFile)?.nodes ?? {}).flatMap((node) => node.process ?? []);
  expect(before).toHaveLength(3);
  // What a start leaves that was killed while it made one of Temporal's databases.
  await engines.service('temporal').stop();
  await query('DROP DATABASE temporal_visibility WITH (FORCE)');
  await query('CREATE DATABASE temporal_visibility_unfinished');
  await engines.stop();
  expect(before.some(isAlive)).toBe(false);
  const ready = Promise.withResolvers<void>();
  const script = path.resolve(import.meta.dirname, '..', 'support', 'run-engines.ts');
  const killed = spawn(process.execPath, [script, dataDir, cacheDir], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...environment },
  });
  killed.stdout.once('data', () => ready.resolve());
  killed.once('exit', () => ready.reject(new Error('It ended before it was ready.')));
  await ready.promise;
  const state = readState(layout.stateFile);
  const left = Object.values(state?.nodes ?? {}).flatMap((node) => node.process ?? []);
  const gone = once(killed, 'exit');
  killed.kill('SIGKILL');
  await gone;
  if (state === null) throw new Error('There is no state.');
  // As if it had been killed between the start of PostgreSQL and the note of it.
  const { postgres: _forgotten, ...nodes } = state.nodes;
  writeState(layout.stateFile, { ...state, nodes });
  expect(left.map((identity) => isAlive(identity))).toEqual([true, true, true]);
  engines = await start();
  expect(left.map((identity) => isAlive(identity))).toEqual([false, false, false]);
  expect(engines.instance.ports).toEqual(ports);
  expect(await query('SELECT id FROM kept')).toEqual([{ id: 7 }]);
  expect(await query(`SELECT datname FROM pg_database WHERE datname LIKE 'temporal%' ORDER BY 1`)).toEqual([
    { datname: 'temporal' },
    { datname: 'temporal_visibility' },
  ]);
}, 240_000);
