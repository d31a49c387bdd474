import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { Connection } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { SCHEDULE_NAMES } from '../../../domain/jobs.ts';
import { bootstrapTemporal } from '../../../infra/bootstrap/temporal.ts';
import { runCli } from '../../cli/support/run-cli.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { until, untilTrue } from '../../setup/until.ts';
import { freePort } from '../../setup/worker-process.ts';
import { longLivedFolder } from '../support/long-lived-folder.ts';

// The engines of the suite are those of another machine here.
const instance = fileInstance();
const folder = longLivedFolder();
const suffix = randomUUID().slice(0, 8);
const created = `external_${suffix}`;
const empty = `empty_${suffix}`;
const DAY_MS = 86_400_000;
const TEXT = proto.temporal.api.enums.v1.IndexedValueType.INDEXED_VALUE_TYPE_TEXT;

beforeAll(async () => {
  await instance.db.superuser.query(`CREATE DATABASE ${empty}`);
});
afterAll(async () => {
  for (const name of [created, empty])
    await instance.db.superuser.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
});

type Settings = Readonly<Record<string, string>>;

/** Returns an address with another database, role or password. */
function changed(address: string | undefined, change: { database?: string; role?: string; password?: string }): string {
  const url = new URL(address ?? '');
  if (change.database !== undefined) url.pathname = `/${change.database}`;
  if (change.role !== undefined) url.username = change.role;
  if (change.password !== undefined) url.password = change.password;
  return url.href;
}

/** Runs a command with the settings of the instance and these changes; fails if it prints a secret. */
async function run(words: readonly string[], changes: Settings = {}) {
  const { exitCode, output } = await runCli([...words, '--data-dir', path.join(folder, 'data')], {
    ...instance.environment,
    ...changes,
  }).ended;
  for (const secret of [...Object.values(inject('roles')), inject('engines').weaviate.apiKey, 'a-wrong-secret'])
    expect(output).not.toContain(secret);
  return { exitCode, output };
}

/** Runs `doctor --server` until its output is as expected: on a busy machine an engine may not answer a check in time. */
function doctor(isExpected: (output: string) => boolean, changes: Settings): ReturnType<typeof run> {
  let last = '';
  return until(
    async () => {
      const ran = await run(['doctor', '--server'], changes);
      last = ran.output;
      return isExpected(last) ? ran : undefined;
    },
    100_000,
    async () => `the expected output:\n${last}`,
  );
}

const findsNothing = (text: string): boolean => !/^fail /m.test(text);

/** Returns the address of a superuser that creates roles and databases. */
const adminUrl = (): string => changed(instance.db.url('superuser'), { database: 'postgres' });

test('doctor --server finds complete engines', async () => {
  const { exitCode, output } = await doctor(findsNothing, {
    RECOLLECT_OWNER_DATABASE_URL: instance.db.url('owner'),
    RECOLLECT_ADMIN_DATABASE_URL: adminUrl(),
  });
  for (const line of [
    'PostgreSQL (application role): reachable, without TLS',
    'PostgreSQL version: 18',
    'PostgreSQL extensions: complete',
    'PostgreSQL migrations (application role): complete',
    'PostgreSQL migrations (maintenance role): complete',
    'PostgreSQL (owner role): reachable, without TLS',
    'PostgreSQL migrations (owner role): complete',
    'PostgreSQL (admin role): reachable, without TLS',
    'Temporal search attributes: complete',
    'Temporal version: 1.32.1',
    'Weaviate version: 1.35.2',
  ])
    expect(output).toContain(`ok    ${line}`);
  expect(output).not.toMatch(/data directory|fail|warn/);
  expect(exitCode).toBe(0);
});

test('doctor --server mentions addresses that only workers need', async () => {
  const names = new Set(['RECOLLECT_MAINTENANCE_DATABASE_URL', 'RECOLLECT_RESTORE_DATABASE_URL']);
  const environment = Object.fromEntries(Object.entries(instance.environment).filter(([name]) => !names.has(name)));
  const { exitCode, output } = await runCli(['doctor', '--server', '--data-dir', folder], environment).ended;
  expect(output).toContain(
    'warn  PostgreSQL (maintenance role): RECOLLECT_MAINTENANCE_DATABASE_URL is not set\n      → Workers of the queues maintenance and sweeps',
  );
  expect(output).toContain('warn  PostgreSQL (restore role): RECOLLECT_RESTORE_DATABASE_URL is not set');
  expect(exitCode).toBe(0);
});

test.each<[what: string, changes: () => Settings, fault: RegExp, remedy: string]>([
  [
    'a wrong password',
    () => ({
      RECOLLECT_DATABASE_URL: changed(instance.environment['RECOLLECT_DATABASE_URL'], { password: 'a-wrong-secret' }),
    }),
    /fail {2}PostgreSQL \(application role\): password authentication failed/,
    'Check user and password in RECOLLECT_DATABASE_URL.',
  ],
  [
    'a missing role',
    () => ({
      RECOLLECT_MAINTENANCE_DATABASE_URL: changed(instance.environment['RECOLLECT_DATABASE_URL'], { role: 'absent' }),
    }),
    /fail {2}PostgreSQL \(maintenance role\): /,
    'recollect migrate with RECOLLECT_ADMIN_DATABASE_URL creates missing roles',
  ],
  [
    'a missing database',
    () => ({
      RECOLLECT_DATABASE_URL: changed(instance.environment['RECOLLECT_DATABASE_URL'], { database: 'absent' }),
    }),
    /fail {2}PostgreSQL \(application role\): database "absent" does not exist/,
    'Create the database: recollect migrate with RECOLLECT_ADMIN_DATABASE_URL.',
  ],
  [
    'missing extensions',
    () => ({ RECOLLECT_DATABASE_URL: changed(instance.environment['RECOLLECT_DATABASE_URL'], { database: empty }) }),
    /fail {2}PostgreSQL extensions: missing: pg_trgm, btree_gin/,
    'CREATE EXTENSION pg_trgm; CREATE EXTENSION btree_gin;',
  ],
  [
    'missing migrations',
    () => ({
      RECOLLECT_MAINTENANCE_DATABASE_URL: changed(instance.environment['RECOLLECT_MAINTENANCE_DATABASE_URL'], {
        database: empty,
      }),
    }),
    /fail {2}PostgreSQL migrations \(maintenance role\): missing: 0001_baseline/,
    'Run recollect migrate with RECOLLECT_OWNER_DATABASE_URL.',
  ],
  [
    'migrations that the database of the api lacks',
    () => ({ RECOLLECT_DATABASE_URL: changed(instance.environment['RECOLLECT_DATABASE_URL'], { database: empty }) }),
    /fail {2}PostgreSQL migrations \(application role\): missing: 0001_baseline/,
    'Run recollect migrate with RECOLLECT_OWNER_DATABASE_URL.',
  ],
  [
    'a wrong password of the owner',
    () => ({ RECOLLECT_OWNER_DATABASE_URL: changed(instance.db.url('owner'), { password: 'a-wrong-secret' }) }),
    /fail {2}PostgreSQL \(owner role\): password authentication failed/,
    'Check user and password in RECOLLECT_OWNER_DATABASE_URL.',
  ],
  [
    'an owner that cannot migrate',
    () => ({ RECOLLECT_OWNER_DATABASE_URL: instance.db.url('app') }),
    /fail {2}rights of recollect_app: the role cannot create tables in /,
    'OWNER TO recollect_app;',
  ],
  [
    'an admin that is no superuser',
    () => ({ RECOLLECT_ADMIN_DATABASE_URL: instance.db.url('owner') }),
    /fail {2}rights of recollect_owner: the role is not a superuser/,
    'Name a superuser',
  ],
  [
    'an application role that policies do not restrict',
    () => ({ RECOLLECT_DATABASE_URL: instance.db.url('superuser') }),
    /fail {2}rights of postgres: row-level security does not restrict this role/,
    'Name recollect_app in RECOLLECT_DATABASE_URL',
  ],
  [
    'maintenance and restore roles without their rights',
    () => ({
      RECOLLECT_MAINTENANCE_DATABASE_URL: instance.db.url('app'),
      RECOLLECT_RESTORE_DATABASE_URL: instance.db.url('app'),
    }),
    /fail {2}rights of recollect_app: the role cannot read every tenant[^]*fail {2}rights of recollect_app: the role cannot create databases/,
    'ALTER ROLE recollect_app CREATEDB;',
  ],
  [
    'a missing namespace',
    () => ({ RECOLLECT_TEMPORAL_NAMESPACE: `absent-${suffix}` }),
    /fail {2}Temporal: .*not found/i,
    `temporal operator namespace create --namespace absent-${suffix}`,
  ],
  [
    'a wrong key of Weaviate',
    () => ({ RECOLLECT_WEAVIATE_API_KEY: 'a-wrong-secret' }),
    /fail {2}Weaviate: /,
    'Check RECOLLECT_WEAVIATE_API_KEY',
  ],
  [
    'an unreachable engine',
    () => ({ RECOLLECT_TEMPORAL_ADDRESS: '127.0.0.1:9' }),
    /fail {2}Temporal: /,
    'Check address, certificate authority (RECOLLECT_CA_FILE) and credentials',
  ],
])('doctor --server reports %s with the remedy', async (_what, changes, fault, remedy) => {
  const { exitCode } = await doctor((text) => fault.test(text) && text.includes(remedy), changes());
  expect(exitCode).toBe(1);
});

/** Creates a namespace, with these search attributes. */
async function registerNamespace(namespace: string, searchAttributes: Readonly<Record<string, number>>): Promise<void> {
  const connection = await Connection.connect({ address: inject('engines').temporal.address });
  try {
    await connection.workflowService.registerNamespace({ namespace, workflowExecutionRetentionPeriod: msToTs(DAY_MS) });
    if (Object.keys(searchAttributes).length === 0) return;
    // The server reports a new namespace as missing for a while.
    await expect
      .poll(() =>
        connection.operatorService.addSearchAttributes({ namespace, searchAttributes }).then(() => 'added', String),
      )
      .toBe('added');
  } finally {
    await connection.close();
  }
}

test('doctor --server and migrate report a search attribute of another type with the remedy', async () => {
  const namespace = `typed-${suffix}`;
  await registerNamespace(namespace, { RecollectTenant: TEXT });
  const remedy = `temporal operator search-attribute remove --namespace ${namespace} --name RecollectTenant`;
  const fault = 'fail  Temporal search attributes: of another type than Keyword: RecollectTenant';
  const { exitCode, output } = await doctor((text) => text.includes(fault), {
    RECOLLECT_TEMPORAL_NAMESPACE: namespace,
  });
  expect(output).toContain(remedy);
  expect(exitCode).toBe(1);
  await expect(bootstrapTemporal({ address: inject('engines').temporal.address, namespace })).rejects.toThrow(remedy);
});

test('doctor --server reports missing search attributes with the remedy', async () => {
  const namespace = `bare-${suffix}`;
  await registerNamespace(namespace, {});
  // The server reports a new namespace as missing for a while.
  const remedy = `search-attribute create --namespace ${namespace} --name RecollectTenant --type Keyword`;
  const { exitCode } = await doctor((text) => text.includes(remedy), { RECOLLECT_TEMPORAL_NAMESPACE: namespace });
  expect(exitCode).toBe(1);
});

/** Returns the settings of an installation of its own on the engines of the suite. */
function ownSettings(): Settings {
  const { db, environment } = instance;
  const inCreated = (name: string): string => changed(environment[name], { database: created });
  return {
    RECOLLECT_DATABASE_URL: inCreated('RECOLLECT_DATABASE_URL'),
    RECOLLECT_MAINTENANCE_DATABASE_URL: inCreated('RECOLLECT_MAINTENANCE_DATABASE_URL'),
    RECOLLECT_OWNER_DATABASE_URL: changed(db.url('owner'), { database: created }),
    RECOLLECT_TEMPORAL_NAMESPACE: `external-${suffix}`,
    // Its jobs would run on the engines of the suite.
    RECOLLECT_SCHEDULES_PAUSED: SCHEDULE_NAMES.join(','),
  };
}

test('migrate names the settings that it lacks', async () => {
  expect(await run(['migrate'])).toMatchObject({
    exitCode: 1,
    output: expect.stringContaining('RECOLLECT_OWNER_DATABASE_URL: is required'),
  });
  const admin = { RECOLLECT_ADMIN_DATABASE_URL: adminUrl() };
  expect(
    await run(['migrate'], { ...ownSettings(), ...admin, RECOLLECT_DATABASE_URL: admin.RECOLLECT_ADMIN_DATABASE_URL }),
  ).toMatchObject({
    exitCode: 1,
    output: expect.stringContaining('RECOLLECT_DATABASE_URL: must name the role recollect_app with its password'),
  });
  const unencoded = changed(instance.db.url('owner'), { password: 'a-wrong-secret' }).replace('a-wrong', '50%a-wrong');
  expect(await run(['migrate'], { ...ownSettings(), RECOLLECT_OWNER_DATABASE_URL: unencoded })).toMatchObject({
    exitCode: 1,
    output: 'RECOLLECT_OWNER_DATABASE_URL: has a % that begins no encoded character: write %25 for it\n',
  });
  expect(await run(['migrate'], { ...ownSettings(), RECOLLECT_TEMPORAL_ADDRESS: '127.0.0.1:9' })).toMatchObject({
    exitCode: 1,
    output: expect.stringContaining('Run recollect doctor --server'),
  });
});

test('migrate prepares external engines, again without a change, and server and worker run on them', async () => {
  const settings = ownSettings();
  const credentials = path.join(folder, 'first-keys.json');
  const admin = { RECOLLECT_ADMIN_DATABASE_URL: adminUrl() };
  const first = await run(['migrate', '--credentials', credentials], { ...settings, ...admin });
  expect(first.output).toMatch(/roles and database exist; \d+ migrations applied/);
  expect(first.exitCode).toBe(0);
  expect(statSync(credentials).mode & 0o777).toBe(0o600);
  expect(await run(['migrate', '--credentials', credentials], settings)).toMatchObject({
    exitCode: 0,
    output: expect.stringContaining('PostgreSQL: schema is current'),
  });
  expect(await doctor(findsNothing, settings)).toMatchObject({ exitCode: 0 });

  const port = String(await freePort());
  const environment = {
    ...instance.environment,
    ...settings,
    RECOLLECT_HTTP_PORT: port,
    RECOLLECT_LOG_LEVEL: 'info',
  };
  const server = runCli(['server'], environment);
  const worker = runCli(['worker', '--queues', 'session,model,embedding,sweeps'], environment);
  await worker.shows('this build is current');
  const address = `http://127.0.0.1:${port}/api/v1`;
  await untilTrue(async () => (await fetch(`${address}/health`).catch(() => null))?.status === 200);
  const { api_key: key } = z.object({ api_key: z.string() }).parse(JSON.parse(readFileSync(credentials, 'utf8')));
  const accepted = await fetch(`${address}/events`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      host: 'test',
      session_id: 'external',
      type: 'prompt',
      content: 'an event on external engines',
    }),
  });
  expect(accepted.status).toBe(202);
  for (const { child } of [server, worker]) {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  }
}, 480_000);

test('server and worker print invalid settings and start nothing', async () => {
  const bare = { ...instance.environment, RECOLLECT_WEAVIATE_URL: 'ftp://x' };
  for (const command of ['server', 'worker']) {
    const { exitCode, output } = await runCli([command], bare).ended;
    expect({ exitCode, output }).toMatchObject({
      exitCode: 1,
      output: expect.stringMatching(/^RECOLLECT_WEAVIATE_URL: /),
    });
  }
  expect(await runCli(['worker', '--queues', 'nonsense'], instance.environment).ended).toMatchObject({
    exitCode: 1,
    output: expect.stringContaining('RECOLLECT_WORKER_QUEUES: must be of'),
  });
});
