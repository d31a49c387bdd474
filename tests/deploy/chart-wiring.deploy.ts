import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readCredentials } from '../../cli/server/access.ts';
import { environmentSchema, MIGRATION_SETTINGS } from '../../config/config.ts';
import { CHART, objectsIn, render } from './support/chart.ts';
import { named, podOf, settingsOf } from './support/pods.ts';
import type { Pod } from './support/pods.ts';
import { run } from './support/tools.ts';

// What the chart gives to processes: settings, keys and files.

/** Returns the keys that a pod mounts as settings, by the Secret that has them. */
function keysOf({ volumes }: Pod): Readonly<Record<string, readonly string[]>> {
  const sources = volumes.flatMap(({ projected }) => projected?.sources ?? []);
  return Object.fromEntries(sources.map(({ secret }) => [secret.name, secret.items.map(({ key }) => key)]));
}

/** Named like secrets, without one: a limit, and public keys. */
const NO_SECRETS = new Set(['RECOLLECT_RATE_UNKNOWN_KEYS', 'RECOLLECT_BACKUP_TRUSTED_KEYS']);
const SECRETS = Object.keys(environmentSchema.shape).filter(
  (name) => /_(?:KEYS?|KEY_ID|TOKEN|HEADERS|DATABASE_URL)$/.test(name) && !NO_SECRETS.has(name),
);
const OF_PROVIDERS = ['ANTHROPIC_API_KEY', 'RECOLLECT_OPENAI_API_KEY', 'RECOLLECT_S3_SECRET_ACCESS_KEY'];

test('a worker finds every secret setting in the Secret of the installation, or those of providers in extraSecret', () => {
  const workerWith = (...args: string[]) =>
    keysOf(podOf(named(objectsIn(render('defaults', ...args)), 'Deployment', 'recollect-worker-main')));
  const ofWorkers = SECRETS.filter((name) => !MIGRATION_SETTINGS.some((other) => other === name));
  const separate = workerWith('--set', 'extraSecret=providers');
  expect(Object.values(separate).flat().toSorted()).toEqual(ofWorkers.toSorted());
  expect(separate['providers']).toEqual(expect.arrayContaining(OF_PROVIDERS));
  expect(separate['recollect']).toContain('RECOLLECT_DATABASE_URL');
  const sources = podOf(named(objectsIn(render('defaults')), 'Deployment', 'recollect-worker-main')).volumes.flatMap(
    ({ projected }) => projected?.sources ?? [],
  );
  expect(sources.map(({ secret }) => secret.name)).toEqual(['recollect', 'recollect']);
  expect(sources.flatMap(({ secret }) => secret.items.map(({ key }) => key)).toSorted()).toEqual(ofWorkers.toSorted());
});

test('commands find every secret setting, which doctor checks', () => {
  const { recollect = [], providers = [] } = keysOf(
    podOf(named(objectsIn(render('defaults', '--set', 'extraSecret=providers')), 'CronJob', 'recollect-cli')),
  );
  expect([...recollect, ...providers].toSorted()).toEqual(SECRETS.toSorted());
});

test('a cloud identity and the OpenID providers reach the processes that use them', () => {
  const values = ['--set', 'serviceAccountName=backups,api.oidcProvidersSecret=sign-in'];
  const objects = objectsIn(render('defaults', ...values));
  const accounts = objects
    .filter(({ kind }) => ['Deployment', 'StatefulSet', 'Job', 'CronJob'].includes(kind))
    .map((object) => [object.metadata.name, podOf(object).serviceAccountName]);
  expect(Object.fromEntries(accounts)).toEqual({
    'recollect-api': 'backups',
    'recollect-worker-main': 'backups',
    'recollect-cli': 'backups',
    'recollect-migration-1': undefined,
    'recollect-postgresql': undefined,
    'recollect-temporal': undefined,
    'recollect-weaviate': undefined,
  });
  const api = podOf(named(objects, 'Deployment', 'recollect-api'));
  const file = settingsOf(api)['RECOLLECT_OIDC_PROVIDERS_FILE'] ?? '';
  const mount = api.containers[0]?.volumeMounts.find(({ mountPath }) => mountPath === path.dirname(file));
  expect(api.volumes.find(({ name }) => name === mount?.name)?.secret?.secretName).toBe('sign-in');
});

test.each([
  ['RECOLLECT_ALLOW_PLAIN_ENGINES', 'false'],
  ['RECOLLECT_WEAVIATE_QUANTIZATION', 'rq'],
  ['RECOLLECT_HINT_DELAY_MS', '0'],
])('the setting %s=%s of values reaches the processes', (name, value) => {
  const objects = objectsIn(render('defaults', '--set', `settings.${name}=${value}`));
  for (const workload of ['recollect-api', 'recollect-worker-main'])
    expect(settingsOf(podOf(named(objects, 'Deployment', workload)))[name]).toBe(value);
});

test('the migration copies no files of the model', () => {
  const migration = podOf(named(objectsIn(render('defaults')), 'Job', 'recollect-migration-1'));
  expect(migration.volumes.map(({ name }) => name)).not.toContain('model');
  expect(migration.containers.flatMap(({ volumeMounts }) => volumeMounts.map(({ name }) => name))).not.toContain(
    'model',
  );
});

test('commands in a cluster use the admin’s key and the address of the api there', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'recollect-chart-'));
  try {
    writeFileSync(
      path.join(folder, 'credentials.json'),
      JSON.stringify({ url: 'https://memory.example.org', api_key: 'rcl_first', admin: { username: 'admin' } }),
    );
    const { containers } = podOf(named(objectsIn(render('defaults')), 'CronJob', 'recollect-cli'));
    const script = (containers[0]?.args.join('\n') ?? '')
      .replaceAll('busybox ', '')
      .replaceAll('/run/secrets/credentials', folder)
      .replaceAll('/tmp/.recollect', path.join(folder, '.recollect'))
      .replace('exec sleep 14400', '');
    expect(run('sh', ['-euc', script])).toMatchObject({ status: 0, stderr: '' });
    expect(readCredentials(path.join(folder, '.recollect/credentials.json'))).toEqual({
      url: 'http://recollect-api',
      apiKey: 'rcl_first',
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('the databases of Temporal are created before each start, with the files that their script reads', () => {
  const temporal = podOf(named(objectsIn(render('defaults')), 'Deployment', 'recollect-temporal'));
  const [databases] = temporal.initContainers;
  const script = readFileSync(path.join(CHART, 'files/temporal-databases.sh'), 'utf8').replaceAll(/^#.*$/gm, '');
  const files = [...new Set([...script.matchAll(/\$\{?([A-Z_]+_FILE)\b/g)].flatMap(([, name]) => name ?? []))];
  expect(files.toSorted()).toEqual(['POSTGRES_PASSWORD_FILE', 'TEMPORAL_PASSWORD_FILE']);
  expect(databases?.command).toEqual(['sh', '/etc/temporal/databases.sh']);
  const variables = Object.fromEntries(databases?.env.map(({ name, value }) => [name, value]) ?? []);
  expect(variables).toMatchObject({ PGHOST: 'recollect-postgresql', PGUSER: 'postgres' });
  for (const name of files) {
    const file = variables[name] ?? '';
    const mount = databases?.volumeMounts.find(({ mountPath }) => mountPath === path.dirname(file));
    const volume = temporal.volumes.find((each) => each.name === mount?.name);
    expect(volume?.secret?.items).toContainEqual({ key: path.basename(file), path: path.basename(file) });
  }
});
