import { once } from 'node:events';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { Client } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { processEnvironment } from '../../../config/process-environment.ts';
import { type RunningEngines, startEngines } from '../../setup/start-engines.ts';
import { cacheDirectory, instanceLayout } from '../../../infra/instance/layout.ts';
import { PORT_NAMES } from '../../../infra/instance/ports.ts';
import { superuserUrl } from '../../../infra/instance/environment.ts';
import { isAlive } from '../../../infra/supervisor/process-identity.ts';
import { readState, writeState } from '../../../infra/supervisor/state.ts';
import { longLivedFolder } from '../support/long-lived-folder.ts';
import { recordProgress } from '../support/progress.ts';

const environment = processEnvironment();
const cacheDir = cacheDirectory(environment);
const folder = longLivedFolder();
const dataDir = path.join(folder, 'closed', 'data');
/** Below the range from which instances draw ports. */
const FIRST_PORT = 18_400;
let engines: RunningEngines;

const start = (progress = recordProgress()): Promise<RunningEngines> =>
  startEngines({ dataDir, cacheDir, environment, progress, signal: new AbortController().signal, ports: 'saved' });

beforeAll(async () => {
  // As with `mktemp -d` or a closed home directory: other users cannot search the parent folder.
  mkdirSync(path.join(folder, 'closed'), { mode: 0o700 });
  // Left by a start that was killed while it created the database.
  mkdirSync(path.join(dataDir, 'postgres.new-1', 'base'), { recursive: true });
  writeFileSync(path.join(dataDir, 'postgres.new-1', 'PG_VERSION'), '18\n');
  writeFileSync(path.join(dataDir, 'postgres.new-1.password'), 'old');
  // Ports that no other instance of the test run draws while these engines are stopped.
  const { portsFile } = instanceLayout(dataDir);
  mkdirSync(path.dirname(portsFile), { recursive: true, mode: 0o700 });
  const own = PORT_NAMES.map((name, index) => [name, FIRST_PORT + index] as const);
  writeFileSync(portsFile, JSON.stringify(Object.fromEntries(own)));
  engines = await start();
});

afterAll(() => engines.stop());

async function query(text: string): Promise<unknown[]> {
  const client = new Client({ connectionString: superuserUrl(engines.instance) });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}

test('PostgreSQL accepts queries with durable commits and listens on loopback only', async () => {
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

test('rejects a wrong password', async () => {
  const { host, port, user } = engines.postgres;
  const client = new Client({ host, port, user, password: 'wrong', database: 'postgres' });
  await expect(client.connect()).rejects.toMatchObject({ code: '28P01' });
});

test('Temporal has its schema and registers a namespace that is usable at once', async () => {
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

test('Weaviate requires its key', async () => {
  const { url, apiKey } = engines.weaviate;
  expect((await fetch(`${url}/v1/schema`)).status).toBe(401);
  const allowed = await fetch(`${url}/v1/schema`, { headers: { authorization: `Bearer ${apiKey}` } });
  expect(await allowed.json()).toEqual({ classes: [] });
});

test('no log contains a secret', () => {
  const secrets = Object.values(engines.instance.secrets);
  for (const name of ['postgres', 'temporal', 'weaviate']) {
    const log = readFileSync(path.join(dataDir, 'logs', `${name}.log`), 'utf8');
    for (const secret of secrets) expect(log.includes(secret)).toBe(false);
  }
});

test('each killed engine restarts by itself with its data', async () => {
  await query('CREATE TABLE survivors (id int); INSERT INTO survivors VALUES (7)');
  for (const name of ['postgres', 'temporal', 'weaviate'] as const) engines.service(name).kill('SIGKILL');
  await Promise.all((['postgres', 'temporal', 'weaviate'] as const).map((name) => engines.service(name).whenReady()));
  expect(await query('SELECT id FROM survivors')).toEqual([{ id: 7 }]);
  expect(engines.service('postgres').state.restarts).toBeGreaterThan(0);
}, 240_000);

test('refuses a second start on the same data directory while the first one runs', async () => {
  await expect(start()).rejects.toMatchObject({ name: 'AlreadyRunningError', pid: process.pid });
});

test('a stop ends all engines; the next start ends those of a killed supervisor and reuses ports and data', async () => {
  const { ports, layout } = engines.instance;
  const before = Object.values(readState(layout.stateFile)?.nodes ?? {}).flatMap((node) => node.process ?? []);
  expect(before).toHaveLength(3);
  // Left by a start that was killed while it created one of Temporal's databases.
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
  const orphans = Object.values(state?.nodes ?? {}).flatMap((node) => node.process ?? []);
  const exited = once(killed, 'exit');
  killed.kill('SIGKILL');
  await exited;
  if (state === null) throw new Error('There is no state.');
  // As if killed after PostgreSQL started and before the state file recorded it.
  const { postgres: _forgotten, ...nodes } = state.nodes;
  writeState(layout.stateFile, { ...state, nodes });
  expect(orphans.map((identity) => isAlive(identity))).toEqual([true, true, true]);
  engines = await start();
  expect(orphans.map((identity) => isAlive(identity))).toEqual([false, false, false]);
  expect(engines.instance.ports).toEqual(ports);
  expect(await query('SELECT id FROM survivors')).toEqual([{ id: 7 }]);
  expect(await query(`SELECT datname FROM pg_database WHERE datname LIKE 'temporal%' ORDER BY 1`)).toEqual([
    { datname: 'temporal' },
    { datname: 'temporal_visibility' },
  ]);
}, 240_000);
