import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, mkdirSync } from 'node:fs';
import { createPrivateKey } from 'node:crypto';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseApiConfig, parseConfig, environmentSchema } from '../../config/config.ts';
import { withSettingsFolder } from '../../config/settings-folder.ts';
import { deployFile } from './support/chart.ts';
import { composeContent, composeService, serviceFindings } from './support/compose.ts';
import { composeErrors } from './support/schemas.ts';
import { run } from './support/tools.ts';

const FILES = ['compose.yaml', 'compose.monitoring.yaml'];
const SCRIPT = path.resolve(import.meta.dirname, '../../deploy/compose/create-secrets.sh');

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

/** Returns the settings of a service: its variables, and its secrets in a folder as Compose mounts them. */
function settingsOf(name: string) {
  const { services, secrets } = composeContent('compose.yaml');
  const service = services[name];
  if (service === undefined) throw new Error(`there is no service ${name}`);
  const mounted = mkdtempSync(path.join(folder, `${name}-`));
  for (const { source, target } of service.secrets) {
    const file = secrets[source]?.file ?? '';
    symlinkSync(path.join(folder, file), path.join(mounted, target));
    expect(readFileSync(path.join(mounted, target), 'utf8')).toBeDefined();
  }
  return withSettingsFolder({ ...service.environment, RECOLLECT_SETTINGS_DIR: mounted });
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

test('variables of api, workers and migration are settings', () => {
  const names = ['api-1', 'worker-1', 'migration'].flatMap((name) =>
    Object.keys(composeContent('compose.yaml').services[name]?.environment ?? {}),
  );
  for (const name of names.filter((each) => each.startsWith('RECOLLECT_')))
    expect(Object.keys(environmentSchema.shape)).toContain(name);
});

test('the two processes of a kind differ in nothing', () => {
  const { services } = composeContent('compose.yaml');
  expect(services['api-1']).toEqual(services['api-2']);
  expect(services['worker-1']).toEqual(services['worker-2']);
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
  const passwords = Object.entries(first).filter(([name]) => !/tls|model_key|admin_database_url/.test(name));
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

test.each(['', 'a b', 'x$(id)', `${'a'.repeat(250)}.org`])('the secrets are not created for the name %j', (name) => {
  const target = path.join(folder, 'none');
  mkdirSync(target, { recursive: true });
  const { status, stderr } = run(SCRIPT, [name, target]);
  expect(status).not.toBe(0);
  expect(stderr).toContain('name of the server');
  expect(readdirSync(target)).toEqual([]);
});
