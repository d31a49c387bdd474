import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { z } from 'zod';
import { acceptedInvite, invitedAnswer } from '../../../contract/access.ts';
import { confirmedTotp, secondStep, tokenAnswer, totpSecret } from '../../../contract/login.ts';
import { withoutWorkerSettings } from '../../../config/config.ts';
import { stepAt, totpCode } from '../../../domain/totp.ts';
import { runProgram } from '../../cli/support/output.ts';
import { longLivedFolder } from '../../infra/support/long-lived-folder.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { SWEEPS } from '../../setup/instance.ts';
import type { ApiAnswer, CallOptions, TestInstance } from '../../setup/instance.ts';
import { startOtlpReceiver } from '../../setup/otlp-receiver.ts';
import type { OtlpReceiver } from '../../setup/otlp-receiver.ts';
import { until } from '../../setup/until.ts';
import { freePort, startService, startWorkerProcess } from '../../setup/worker-process.ts';
import type { ServiceProcess } from '../../setup/worker-process.ts';
import {
  allow,
  authorizationAddress,
  logIn as logInAt,
  redeem,
  register,
  tokenRequest,
} from '../oauth/support/authorize.ts';
import { Browser as OauthBrowser } from '../oauth/support/browser.ts';
import { pkce } from '../oauth/support/client.ts';
import { createdIn } from '../support/access.ts';
import { bodyOf, idIn, inTime } from '../support/answers.ts';
import { Browser } from '../support/browser.ts';
import { noteEvent } from '../support/events.ts';
import { cookieOf, secretBytes } from '../support/log-in.ts';
import { startOidcProvider } from '../support/oidc-provider.ts';
import type { TestProvider } from '../support/oidc-provider.ts';
import { dumpOf, filesBelow, historiesOf, Planted } from '../support/planted.ts';

const planted = new Planted();
const secretOf = (name: string) => planted.note(name, `${name}-${randomBytes(18).toString('base64url')}`);
const folder = longLivedFolder();
const backups = path.join(folder, 'backups');
const password = secretOf('password');
const secretKey = planted.note('a secret key', randomBytes(32).toString('base64'));
const scrapeToken = secretOf('scrape token');
const signer = generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' });
const signingKey = planted.note('the signing key of backups', signer.toString('base64'));
let provider: TestProvider;
let collector: OtlpReceiver;
let url = '';

const instance = fileInstance(async () => {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  const clientSecret = secretOf('client secret');
  collector = await startOtlpReceiver();
  provider = await startOidcProvider([`${url}/api/v1/auth/oidc/company/callback`], clientSecret);
  const file = path.join(folder, 'providers.json');
  const client = { issuer: provider.issuer, client_id: provider.clientId, client_secret: clientSecret };
  writeFileSync(file, JSON.stringify([{ name: 'company', label: 'Company', ...client, allow_any_user: true }]));
  return {
    RECOLLECT_PUBLIC_URL: url,
    RECOLLECT_OAUTH: 'true',
    RECOLLECT_OAUTH_REGISTRATION: 'true',
    RECOLLECT_OIDC_PROVIDERS_FILE: file,
    RECOLLECT_SECRET_KEYS: `planted:${secretKey}`,
    RECOLLECT_SCRAPE_TOKEN: scrapeToken,
    RECOLLECT_BACKUP_STORE: backups,
    RECOLLECT_BACKUP_SIGNING_KEY: signingKey,
    RECOLLECT_LOG_LEVEL: 'debug',
    RECOLLECT_OTLP_ENDPOINT: collector.url,
    RECOLLECT_OTLP_HEADERS: `x-key=${secretOf('key of the collector')}`,
    RECOLLECT_TRACE_SHARE: '1',
  };
}, SWEEPS);
/** The instance at the process whose log is searched. */
let here: TestInstance;
const processes: ServiceProcess[] = [];
/** Bodies of refusals. */
const refusals: string[] = [];
/** What may contain no secret, by name, with a word that it does contain: an empty place proves nothing. */
const places = new Map<string, readonly [text: string, contained: string]>();

async function call(method: string, address: string, options: CallOptions = {}): Promise<ApiAnswer> {
  const key = options.key === undefined ? instance.admin.key : options.key;
  const body = options.raw ?? (options.body === undefined ? null : JSON.stringify(options.body));
  const response = await fetch(`${url}/api/v1${address}`, {
    method,
    body,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === null ? {} : { 'content-type': 'application/json' }),
      ...options.headers,
    },
  });
  const text = await response.text();
  if (response.status >= 400) refusals.push(text);
  const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
  return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
}

beforeAll(async () => {
  const environment = { ...instance.environment, RECOLLECT_HTTP_PORT: new URL(url).port };
  processes.push(
    await startService('api/main.ts', withoutWorkerSettings(environment)),
    await startWorkerProcess(environment),
  );
  const post = (address: string, body?: unknown, key?: string | null) =>
    call('POST', address, { body, ...(key === undefined ? {} : { key }) });
  here = {
    ...instance,
    url,
    call,
    post,
    get: (address, key) => call('GET', address, key === undefined ? {} : { key }),
  };
  for (const [name, secret] of Object.entries(inject('roles'))) planted.note(`password of the role ${name}`, secret);
  planted.note('key of Weaviate', inject('engines').weaviate.apiKey);
  planted.note('key of the admin', instance.admin.key);
});
afterAll(async () => {
  await Promise.all(processes.map((each) => each.stop()));
  await provider.close();
  await collector.close();
});

const notedToken = (answer: ApiAnswer): string => {
  planted.note('refresh token', cookieOf(answer).split('=')[1] ?? '');
  return planted.note('access token', bodyOf(tokenAnswer, answer).access_token);
};
/** A user of the operators' tenant. */
const login = 'planted-user';

test('join, log in with a second factor, and fail in every step', async () => {
  const invited = createdIn(invitedAnswer, await here.post('/admin/users', { username: login, role: 'user' }));
  const token = planted.note('invite', invited.invite.token);
  const wrong = `rci_${randomBytes(32).toString('base64url')}`;
  expect(
    (await here.post('/auth/invites/accept', { token: planted.note('wrong invite', wrong), password }, null)).status,
  ).toBe(404);
  expect((await here.post('/auth/invites/accept', { token, password, role: 'admin' }, null)).status).toBe(422);
  const keys = createdIn(acceptedInvite, await here.post('/auth/invites/accept', { token, password }, null));
  for (const key of [keys.api_key, keys.agent_api_key, keys.agent_write_api_key]) planted.note('API key', key);
  expect((await here.get('/sessions', secretOf('rcl_unknown'))).status).toBe(401);

  const first = await here.post('/auth/login', { login, password }, null);
  const cookie = cookieOf(first);
  const access = notedToken(first);
  const refresh = () => call('POST', '/auth/refresh', { key: null, headers: { cookie, origin: url } });
  notedToken(await refresh());
  expect((await here.get('/auth/me', `${access}x`)).status).toBe(401);
  const raw = `{"login": "${login}", "password": "${password}"`;
  expect((await call('POST', '/auth/login', { key: null, raw })).status).toBe(400);
  expect((await here.post('/auth/login', { login, password: secretOf('wrong password') }, null)).status).toBe(401);

  const { secret } = createdIn(totpSecret, await here.post('/auth/mfa/totp', undefined, access));
  planted.note('TOTP secret', secret);
  const bytes = secretBytes(secret);
  planted.note('TOTP secret, its bytes', bytes.toString('hex'));
  const code = totpCode(bytes, stepAt(Date.now()));
  const confirmed = bodyOf(confirmedTotp, await here.post('/auth/mfa/totp/confirm', { code }, access));
  planted.note('access token', confirmed.token.access_token);
  const [recovery = '', spare = ''] = confirmed.recovery_codes.map((each) => planted.note('recovery code', each));
  const { mfa_token: mfa } = bodyOf(secondStep, await here.post('/auth/login', { login, password }, null));
  planted.note('mfa_token', mfa);
  expect((await here.post('/auth/mfa/recovery', { mfa_token: mfa, code: 'AAAA-AAAA-AAAA-AAAA' }, null)).status).toBe(
    401,
  );
  const stepped = notedToken(await here.post('/auth/mfa/recovery', { mfa_token: mfa, code: recovery }, null));
  expect((await here.post('/auth/step-up', { recovery_code: spare }, stepped)).status).toBe(200);
  await here.post('/events', noteEvent('of-the-planted', 'A note of nothing'), keys.api_key);
});

test('give a client access by OAuth, and log in by a provider', async () => {
  const user = await here.user();
  planted.note('API key', user.key);
  const set = await call('PUT', '/auth/password', { key: user.key, body: { password } });
  expect(set.status).toBe(200);
  const clientId = await register(here);
  const { verifier, challenge } = pkce();
  planted.note('verifier', verifier);
  const browser = new OauthBrowser(url);
  await browser.open(authorizationAddress(here, { client_id: clientId, code_challenge: challenge }));
  await logInAt(browser, user, secretOf('wrong password'));
  await logInAt(browser, user, password);
  const { location } = await allow(browser, 'read', 'write');
  const code = planted.note('authorization code', location?.searchParams.get('code') ?? '');
  const noted = ({ body }: Awaited<ReturnType<typeof redeem>>) => {
    const { access_token: access, refresh_token: refresh } = z
      .object({ access_token: z.string(), refresh_token: z.string() })
      .parse(body);
    planted.note('access token of a client', access);
    return planted.note('refresh token of a client', refresh);
  };
  const refresh_token = noted(await redeem(here, clientId, { code, verifier }));
  noted(await tokenRequest(here, { grant_type: 'refresh_token', client_id: clientId, refresh_token }));
  const unknown = await tokenRequest(here, {
    grant_type: 'refresh_token',
    client_id: clientId,
    refresh_token: secretOf('wrong refresh token'),
  });
  expect(unknown.status).toBe(400);
  refusals.push(JSON.stringify(unknown.body));
  const mcp = await fetch(`${url}/mcp`, { method: 'POST', headers: { authorization: `Bearer ${secretOf('token')}` } });
  refusals.push(await mcp.text());

  provider.account = { sub: 'subject-1', preferred_username: 'by-provider' };
  const other = new Browser({});
  const { location: start } = await other.get(`${url}/api/v1/auth/oidc/company/start`);
  const callback = new URL(await other.follow(start, `${url}/api/v1/auth/oidc`));
  planted.note('code of a provider', callback.searchParams.get('code') ?? '');
  const done = await other.get(callback.href);
  expect(done.status).toBe(303);
  planted.note(
    'refresh token',
    /__Host-recollect_refresh=([^;]+)/.exec(done.headers.getSetCookie().join('\n'))?.[1] ?? '',
  );
  const again = await other.get(callback.href);
  expect(again.status).toBe(400);
  refusals.push(JSON.stringify(again.body));
});

test('back up, and read what is stored', async () => {
  const id = idIn(await inTime(() => here.post('/admin/backup')));
  const state = z.looseObject({ state: z.string(), complete: z.boolean() });
  const ended = await until(async () => {
    const now = state.parse((await here.get(`/admin/backups/${id}`)).body);
    return now.state === 'running' ? undefined : now;
  });
  expect(ended).toMatchObject({ state: 'completed', complete: true });
  // The session of the event and its summary have histories, too.
  await until(async () => ((await instance.count('sessions WHERE workflow_id IS NOT NULL')) > 0 ? true : undefined));
  places.set('backup', [filesBelow(backups), login]);
  places.set('dump', [await dumpOf(here), login]);
  places.set('histories', [await historiesOf(here), id]);
});

test('no log, answer, list or output contains a secret', async () => {
  const textOf = async (address: string) => {
    const { status, body } = await here.get(address);
    expect(status).toBe(200);
    return typeof body === 'string' ? body : JSON.stringify(body);
  };
  places.set('audit log', [await textOf('/admin/audit-log?limit=100'), 'POST /auth/login']);
  places.set('audit export', [await textOf('/admin/audit-log/export'), 'POST /auth/login']);
  places.set('metrics', [await textOf('/metrics'), 'recollect_']);
  places.set('users', [await textOf('/admin/users'), login]);
  places.set('keys', [await textOf('/admin/api-keys'), login]);
  places.set('settings', [await textOf('/admin/settings'), 'data']);
  places.set('identities', [await textOf(`/admin/users/by-provider/identities`), provider.issuer]);
  places.set('grants', [await textOf('/auth/grants?all=true'), 'Test client']);
  const doctor = await runProgram(['doctor', '--data-dir', folder], null, { ...instance.environment });
  places.set('doctor', [doctor.text + doctor.errors, 'ok']);
  places.set('refusals', [refusals.join('\n'), 'request_id']);
  // The rest of the log is written when the process ends.
  await Promise.all(processes.map((each) => each.stop()));
  for (const [index, name] of ['api', 'worker'].entries()) {
    const log = processes[index];
    places.set(`log of the ${name}`, [`${log?.log()}${log?.errors()}`, `"name":"${name}"`]);
  }
  places.set('traces', [collector.bodies.join('\n'), '/api/v1/auth/login']);
  const found = [...places].map(([name, [text, contained]]) => [name, planted.foundIn(text), text.includes(contained)]);
  expect(found).toEqual([...places.keys()].map((name) => [name, [], true]));
});
