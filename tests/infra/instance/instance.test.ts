import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { cacheDirectory, defaultDataDirectory } from '../../../infra/instance/layout.ts';
import { apiUrl, databaseUrl, instanceEnvironment, passedEnvironment } from '../../../infra/instance/environment.ts';
import { openInstance, prepareDataDirectory } from '../../../infra/instance/instance.ts';
import { LAYOUT_VERSION, readVersionStamp, stampProgram } from '../../../infra/instance/version-stamp.ts';
import { compareVersions, VERSION } from '../../../config/version.ts';
import { knownMigrations } from '../../../prisma/known-migrations.ts';
import { testFolder } from '../support/folder.ts';

test('stamps a new data directory, closes it to other users, and reopens it as the same instance', async () => {
  const dataDir = path.join(testFolder(), 'above', 'data');
  const first = await openInstance(dataDir, { preferPorts: 'free' });
  expect(statSync(dataDir).mode & 0o077).toBe(0);
  expect(JSON.parse(readFileSync(first.layout.versionFile, 'utf8'))).toMatchObject({ layout: LAYOUT_VERSION });
  expect(await openInstance(dataDir)).toEqual(first);
});

test('refuses a data directory of a newer version without writing to it', () => {
  const dataDir = testFolder();
  writeFileSync(path.join(dataDir, 'version.json'), JSON.stringify({ layout: LAYOUT_VERSION + 1, createdAt: 'later' }));
  expect(() => prepareDataDirectory(dataDir)).toThrow(/written by a newer version \(layout 2, supported 1\)/);
});

test('refuses a data directory that a newer program, or one with a newer schema, has run', () => {
  const dataDir = testFolder();
  const file = path.join(dataDir, 'version.json');
  prepareDataDirectory(dataDir);
  stampProgram(file);
  const stamp = readVersionStamp(file);
  expect(stamp?.program).toMatchObject({ version: VERSION, schema: knownMigrations().at(-1) });
  expect(() => prepareDataDirectory(dataDir)).not.toThrow();
  const refusals: readonly [object, RegExp][] = [
    [{ version: '999.0.0' }, /written by a newer version \(Recollect 999\.0\.0, this is \d/],
    [{ schema: '9999_later' }, /written by a newer version \(unknown migration 9999_later\)/],
  ];
  for (const [change, message] of refusals) {
    writeFileSync(file, JSON.stringify({ ...stamp, program: { ...stamp?.program, ...change } }));
    expect(() => prepareDataDirectory(dataDir)).toThrow(message);
  }
});

test.each([
  ['0.9.0', '0.10.0'],
  ['1.0.0-rc.2', '1.0.0'],
  ['1.0.0-rc.2', '1.0.0-rc.10'],
  ['1.0.0', '1.0.1-rc.1'],
])('%s is older than %s', (older, newer) => {
  expect([compareVersions(older, newer), compareVersions(newer, older)].map(Math.sign)).toEqual([-1, 1]);
  expect(compareVersions(newer, newer)).toBe(0);
});

test('reports a damaged stamp and a path that is not a folder', () => {
  const dataDir = testFolder();
  writeFileSync(path.join(dataDir, 'version.json'), '');
  expect(() => prepareDataDirectory(dataDir)).toThrow(/version\.json is damaged/);
  writeFileSync(path.join(dataDir, 'file'), '');
  expect(() => prepareDataDirectory(path.join(dataDir, 'file'))).toThrow(
    /cannot be used: .* Choose another with --data-dir/,
  );
});

test('the environment determines the cache folder, in order of precedence', () => {
  expect(cacheDirectory({ RECOLLECT_CACHE_DIR: '/a', XDG_CACHE_HOME: '/b', HOME: '/c' })).toBe('/a');
  expect(cacheDirectory({ XDG_CACHE_HOME: '/b', HOME: '/c' })).toBe('/b/recollect');
  expect(cacheDirectory({ HOME: '/c' }, 'linux')).toBe('/c/.cache/recollect');
  expect(cacheDirectory({ HOME: '/c' }, 'darwin')).toBe('/c/Library/Caches/recollect');
  expect(cacheDirectory({ XDG_CACHE_HOME: 'relative', HOME: '/c' }, 'linux')).toBe('/c/.cache/recollect');
  expect(defaultDataDirectory({ HOME: '/c' })).toBe('/c/.recollect');
  expect(defaultDataDirectory({ RECOLLECT_DATA_DIR: '/d', HOME: '/c' })).toBe('/d');
});

test('children get this instance’s addresses and the parent’s settings and keys, but not the owner’s credentials', async () => {
  const instance = await openInstance(testFolder(), { preferPorts: 'free' });
  const parent = {
    PATH: '/bin',
    RECOLLECT_OWNER_DATABASE_URL: 'postgresql://owner',
    RECOLLECT_DATABASE_URL: 'postgresql://elsewhere',
    RECOLLECT_LOG_LEVEL: 'debug',
    ANTHROPIC_API_KEY: 'key',
    AWS_SECRET_ACCESS_KEY: 'unrelated',
    UNSET: undefined,
  };
  const environment = instanceEnvironment(instance, parent, '/cache');
  expect(environment).toMatchObject({
    PATH: '/bin',
    RECOLLECT_LOG_LEVEL: 'debug',
    ANTHROPIC_API_KEY: 'key',
    RECOLLECT_DATA_DIR: instance.layout.dataDir,
    RECOLLECT_TEMPORAL_ADDRESS: `127.0.0.1:${instance.ports.temporalFrontend}`,
    RECOLLECT_TEMPORAL_NAMESPACE: 'recollect',
    RECOLLECT_WEAVIATE_URL: `http://127.0.0.1:${instance.ports.weaviateHttp}`,
    RECOLLECT_WEAVIATE_GRPC_PORT: String(instance.ports.weaviateGrpc),
    RECOLLECT_HTTP_HOST: '127.0.0.1',
    RECOLLECT_HTTP_PORT: String(instance.ports.api),
    RECOLLECT_CACHE_DIR: '/cache',
  });
  const url = new URL(environment['RECOLLECT_DATABASE_URL'] ?? '');
  expect([url.username, url.password, url.port]).toEqual([
    'recollect_app',
    instance.secrets.postgresApp,
    String(instance.ports.postgres),
  ]);
  const text = JSON.stringify(environment);
  expect(text).not.toContain('owner');
  expect(text).not.toContain(instance.secrets.postgresOwner);
  expect(text).not.toContain(instance.secrets.postgresSuperuser);
  expect(environment).not.toHaveProperty('AWS_SECRET_ACCESS_KEY');
});

test('addresses can be opened, and URL parts are quoted', async () => {
  const instance = await openInstance(testFolder(), { preferPorts: 'free' });
  const { api, postgres } = instance.ports;
  expect(apiUrl(instance, {})).toBe(`http://127.0.0.1:${api}`);
  expect(apiUrl(instance, { RECOLLECT_HTTP_HOST: '0.0.0.0' })).toBe(`http://127.0.0.1:${api}`);
  expect(apiUrl(instance, { RECOLLECT_HTTP_HOST: '::1' })).toBe(`http://[::1]:${api}`);
  expect(databaseUrl(instance, 'a b', 'p@/', 'd')).toBe(`postgresql://a%20b:p%40%2F@127.0.0.1:${postgres}/d`);
  expect(passedEnvironment({ HOME: '/c', EDITOR: 'vi', LC_ALL: 'C' })).toEqual({
    HOME: '/c',
    LC_ALL: 'C',
    ORT_DISABLE_TELEMETRY: '1',
  });
  expect(passedEnvironment({ ORT_DISABLE_TELEMETRY: '0', ORT_INTRA_OP_NUM_THREADS: '1' })).toEqual({
    ORT_DISABLE_TELEMETRY: '0',
    ORT_INTRA_OP_NUM_THREADS: '1',
  });
});

test('resolves a relative data directory once, before the working directory changes', () => {
  const folder = testFolder();
  mkdirSync(path.join(folder, 'data'));
  expect(prepareDataDirectory(path.relative(process.cwd(), path.join(folder, 'data'))).dataDir).toBe(
    path.join(folder, 'data'),
  );
});
