import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createPrivateKey } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseEnv } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseApiConfig, parseConfig, environmentSchema } from '../../config/config.ts';
import { withSettingsFolder } from '../../config/settings-folder.ts';
import { deployFile } from './support/chart.ts';
import { composeContent, composeService, serviceFindings } from './support/compose.ts';
import { composeErrors } from './support/schemas.ts';
import { run } from './support/tools.ts';

const FILES = ['compose.yaml', 'compose.monitoring.yaml'];
const COMPOSE = path.resolve(import.meta.dirname, '../../deploy/compose');
const SCRIPT = path.join(COMPOSE, 'create-secrets.sh');

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'recollect-compose-'));
  const { status, stderr } = run(SCRIPT, ['memory.example.org', path.join(folder, 'secrets')]);
  if (status !== 0) throw new Error(stderr);
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each(FILES)('%s has no errors by the Compose specification', (file) => {
  expect(composeErrors(deployFile(`compose/${file}`))).toEqual([]);
});

test('the specification finds a wrong key and a wrong value', () => {
  const { services } = composeContent('compose.yaml');
  const api = services['api-1'];
  expect(composeErrors({ services: { api: { ...api, helthcheck: {} } } }).join()).toContain('unevaluated properties');
  expect(composeErrors({ services: { api: { image: 1 } } }).join()).toContain('/services/api/image');
});

test('services have no policy findings', () => {
  const { services } = composeContent('compose.yaml');
  const tools = Object.entries(composeContent('compose.monitoring.yaml').services).filter(
    ([name]) => !(name in services),
  );
  expect(tools.length).toBeGreaterThan(3);
  expect([...Object.entries(services), ...tools].flatMap(([name, service]) => serviceFindings(name, service))).toEqual(
    [],
  );
});

test.each([
  [{ privileged: true }, 'has privileges'],
  [{ cap_drop: [] }, 'capabilities'],
  [{ security_opt: [] }, 'new privileges'],
  [{ read_only: false }, 'writable root'],
  [{ user: '0:0' }, 'may run as root'],
  [{ image: 'recollect/api:latest' }, 'without a fixed tag'],
  [{ deploy: undefined }, 'no limits'],
  [{ restart: undefined }, 'not restarted'],
  [{ healthcheck: undefined }, 'no health check'],
  [{ stop_grace_period: '20s' }, 'is killed'],
  [{ environment: { ANTHROPIC_API_KEY: 'x' } }, 'secret ANTHROPIC_API_KEY'],
  [{ environment: { RECOLLECT_DATABASE_URL: 'postgresql://app:x@db/r' } }, 'secret RECOLLECT_DATABASE_URL'],
])('the policies find %j', (change, finding) => {
  const service = composeService.parse({ ...composeContent('compose.yaml').services['api-1'], ...change });
  expect(serviceFindings('api-1', service).join()).toContain(finding);
});

/**
 * Returns the settings of a service: its variables, those of settings.env, and its secrets in a folder as Compose mounts them. `written`: content
 * of secrets that the operator wrote, by name.
 */
function settingsOf(name: string, own: Record<string, string> = {}, written: Record<string, string> = {}) {
  const { services, secrets } = composeContent('compose.yaml');
  const service = services[name];
  if (service === undefined) throw new Error(`there is no service ${name}`);
  const mounted = mkdtempSync(path.join(folder, `${name}-`));
  for (const { source, target } of service.secrets) {
    const file = secrets[source]?.file ?? '';
    const text = written[source];
    if (text === undefined) symlinkSync(path.join(folder, file), path.join(mounted, target));
    else writeFileSync(path.join(mounted, target), text);
    expect(readFileSync(path.join(mounted, target), 'utf8')).toBeDefined();
  }
  expect(service.env_file).toEqual([{ path: 'settings.env', required: false }]);
  return withSettingsFolder({ ...own, ...service.environment, RECOLLECT_SETTINGS_DIR: mounted });
}

test('the settings of the api and of the workers are complete and valid', () => {
  for (const name of ['api-1', 'api-2'])
    expect(parseApiConfig(settingsOf(name)).http.trustProxy).toEqual(['172.30.37.0/24']);
  for (const name of ['worker-1', 'worker-2']) {
    const config = parseConfig(settingsOf(name));
    expect(config.database.restoreUrl).toContain('recollect_restore');
    expect(config.worker.metrics).toMatchObject({ host: '0.0.0.0', port: 27_735 });
  }
});

test('a provider of models, an object store and a provider of log-ins can be set', () => {
  const example = readFileSync(path.join(COMPOSE, 'settings.env.example'), 'utf8').replaceAll(/^#(?=[A-Z])/gm, '');
  const own = Object.fromEntries(Object.entries(parseEnv(example)).map(([name, text]) => [name, text ?? '']));
  expect(own).toMatchObject({ RECOLLECT_MODEL_PROVIDER: 'openai' });
  const written = { openai_api_key: 'sk-1\n', s3_access_key_id: 'id', s3_secret_access_key: 'secret' };
  const worker = parseConfig(settingsOf('worker-1', own, written));
  expect(worker.model).toMatchObject({ openai: { baseUrl: own['RECOLLECT_OPENAI_BASE_URL'], apiKey: 'sk-1' } });
  for (const config of [worker, parseApiConfig(settingsOf('api-1', own, written))])
    expect(config).toMatchObject({
      s3: { endpoint: own['RECOLLECT_S3_ENDPOINT'], isComplete: true },
      oidcProvidersFile: '/run/secrets/oidc-providers.json',
    });
  const { environment, secrets } = composeContent('compose.yaml').services['api-1'] ?? {};
  expect(secrets?.map(({ target }) => `/run/secrets/${target}`)).toContain(own['RECOLLECT_OIDC_PROVIDERS_FILE']);
  for (const name of Object.keys(own)) {
    expect(Object.keys(environmentSchema.shape)).toContain(name);
    expect(environment).not.toHaveProperty(name);
  }
});

test('every secret setting of a worker is a secret of its service', () => {
  const secret = /(?:_KEY|_KEYS|_KEY_ID|_TOKEN|_HEADERS|_DATABASE_URL)$/;
  // A number; public keys; what a hosted Temporal needs; what only a migration may use.
  const others = new Set([
    'RECOLLECT_RATE_UNKNOWN_KEYS',
    'RECOLLECT_BACKUP_TRUSTED_KEYS',
    'RECOLLECT_TEMPORAL_API_KEY',
    'RECOLLECT_OWNER_DATABASE_URL',
    'RECOLLECT_ADMIN_DATABASE_URL',
  ]);
  const expected = Object.keys(environmentSchema.shape).filter((name) => secret.test(name) && !others.has(name));
  expect(expected).toEqual(expect.arrayContaining(['ANTHROPIC_API_KEY', 'RECOLLECT_S3_SECRET_ACCESS_KEY']));
  const targets = composeContent('compose.yaml').services['worker-1']?.secrets.map(({ target }) => target);
  expect(targets?.toSorted()).toEqual(expected.toSorted());
});

test('the command has the settings of a worker and the key of the operator', () => {
  const settings = settingsOf('cli');
  expect(parseConfig(settings).database.maintenanceUrl).toContain('recollect_maintenance');
  const credentials: unknown = JSON.parse(readFileSync(path.join(folder, 'secrets/credentials.json'), 'utf8'));
  expect(credentials).toMatchObject({ api_key: settings['RECOLLECT_API_KEY'] });
  const { services } = composeContent('compose.yaml');
  const url = new URL(settings['RECOLLECT_URL'] ?? '');
  expect(url.port).toBe(services['api-1']?.environment['RECOLLECT_HTTP_PORT']);
  expect(services['api-1']?.environment['RECOLLECT_ALLOWED_HOSTS']?.split(',')).toContain(url.hostname);
});

test('variables of api, workers, migration and command are settings', () => {
  const names = ['api-1', 'worker-1', 'migration', 'cli'].flatMap((name) =>
    Object.keys(composeContent('compose.yaml').services[name]?.environment ?? {}),
  );
  for (const name of names.filter((each) => each.startsWith('RECOLLECT_')))
    expect(['RECOLLECT_URL', ...Object.keys(environmentSchema.shape)]).toContain(name);
});

test('.env.example has every variable of the Compose file', () => {
  const read = (file: string) => readFileSync(path.join(COMPOSE, file), 'utf8');
  const used = [...read('compose.yaml').matchAll(/(?<!\$)\$\{(\w+)/g)].map(([, name]) => name);
  const offered = [...read('.env.example').matchAll(/^#?(\w+)=/gm)].map(([, name]) => name);
  expect(offered.length).toBeGreaterThan(3);
  expect(new Set(offered)).toEqual(new Set(used));
});

test('the two processes of a kind differ in their addresses only, which the proxy has', () => {
  const { services } = composeContent('compose.yaml');
  const { 'api-1': first, 'api-2': second } = services;
  if (first === undefined || second === undefined) throw new Error('there are no two api processes');
  const addresses = [first, second].map(({ networks }) => {
    if (Array.isArray(networks)) throw new Error('an api process has no fixed address');
    expect(Object.keys(networks)).toEqual(['edge', 'engines']);
    return networks['edge']?.ipv4_address;
  });
  expect({ ...first, networks: {} }).toEqual({ ...second, networks: {} });
  expect(services['worker-1']).toEqual(services['worker-2']);
  const servers = readFileSync(path.join(COMPOSE, 'nginx.conf'), 'utf8').matchAll(/^\s*server ([\d.]+):37700 /gm);
  expect([...servers].map(([, address]) => address)).toEqual(addresses);
});

test('every secret that Compose names is created, readable in a folder of its owner only, and never created again', () => {
  const secrets = path.join(folder, 'secrets');
  const content = () =>
    Object.fromEntries(readdirSync(secrets).map((name) => [name, readFileSync(path.join(secrets, name), 'utf8')]));
  const first = content();
  for (const file of FILES)
    for (const { file: name } of Object.values(composeContent(file).secrets))
      expect(first).toHaveProperty([path.basename(name)]);
  expect(statSync(secrets).mode & 0o777).toBe(0o700);
  const passwords = Object.entries(first).filter(
    ([name, text]) => !/tls|admin_database_url|operator_key/.test(name) && text !== '',
  );
  expect(passwords.length).toBeGreaterThan(12);
  expect(new Set(passwords.map(([, text]) => URL.parse(text)?.password ?? text)).size).toBe(passwords.length);
  const der = Buffer.from(first['backup_signing_key'] ?? '', 'base64');
  expect(createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).asymmetricKeyType).toBe('ed25519');
  rmSync(path.join(secrets, 'scrape_token'), { force: true });
  expect(run(SCRIPT, ['other.example.org', secrets])).toMatchObject({ status: 0 });
  const { scrape_token: renewed, ...others } = content();
  const { scrape_token: previous, ...expected } = first;
  expect(others).toEqual(expected);
  expect(renewed).not.toBe(previous);
});

test('what the operator writes can be overwritten, which running containers see', () => {
  const secrets = path.join(folder, 'secrets');
  const empty = readdirSync(secrets).filter((name) => statSync(path.join(secrets, name)).size === 0);
  expect(empty).toContain('anthropic_api_key');
  for (const name of [...empty, 'tls.crt', 'tls.key']) {
    const file = path.join(secrets, name);
    const { ino, mode } = statSync(file);
    expect([name, mode & 0o777]).toEqual([name, 0o644]);
    // A container has the file that was there at its start, not the one that has its name now.
    copyFileSync(file, `${file}.copy`);
    copyFileSync(`${file}.copy`, file);
    rmSync(`${file}.copy`);
    expect([name, statSync(file).ino]).toEqual([name, ino]);
  }
});

test.each(['', 'a b', 'x$(id)', `${'a'.repeat(250)}.org`])('the secrets are not created for the name %j', (name) => {
  const target = path.join(folder, 'none');
  mkdirSync(target, { recursive: true });
  const { status, stderr } = run(SCRIPT, [name, target]);
  expect(status).not.toBe(0);
  expect(stderr).toContain('name of the server');
  expect(readdirSync(target)).toEqual([]);
});
