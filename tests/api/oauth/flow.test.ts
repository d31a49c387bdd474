import { createServer } from 'node:https';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { grantSchema } from '../../../contract/grants.ts';
import { pageOfItems } from '../../../contract/shared.ts';
import type { TestUser } from '../../setup/database.ts';
import { testCertificate } from '../../setup/certificate.ts';
import {
  allow,
  authorizationAddress,
  logIn,
  oauthInstance,
  statusAtMcp,
  userWithPassword,
} from './support/authorize.ts';
import { WITHIN_CACHE_TIME } from '../support/access.ts';
import { PASSWORD } from '../support/log-in.ts';
import { Browser } from './support/browser.ts';
import { pkce, REDIRECT, StoredAuthorization } from './support/client.ts';

const instance = oauthInstance({ RECOLLECT_OAUTH_PRIVATE_CLIENT_HOSTS: 'localhost' });
const trusted = getCACertificates('default');
const documents = new Map<string, (address: string) => object>();
const certificate = testCertificate('documents');
const documentServer = createServer(certificate, (request, response) => {
  const document = documents.get(request.url ?? '');
  response.setHeader('content-type', 'application/json');
  response.statusCode = document === undefined ? 404 : 200;
  response.end(JSON.stringify(document?.(`${documentsUrl()}${request.url ?? ''}`) ?? {}));
});
let user: TestUser;

function documentsUrl(): string {
  const address = documentServer.address();
  return `https://localhost:${typeof address === 'object' ? address?.port : ''}`;
}

beforeAll(async () => {
  setDefaultCACertificates([...trusted, certificate.cert]);
  await new Promise<void>((resolve) => documentServer.listen(0, 'localhost', resolve));
  user = await userWithPassword(instance);
});
afterAll(() => {
  setDefaultCACertificates(trusted);
  documentServer.close();
});

/** Connects the official client: it is sent to the user, who allows the scopes in a browser. Returns the connected client. */
async function connectAs(store: StoredAuthorization, ...scopes: readonly string[]): Promise<Client> {
  const transport = () => new StreamableHTTPClientTransport(new URL(`${instance.url}/mcp`), { authProvider: store });
  const first = transport();
  const client = () => new Client({ name: 'test', version: '1' });
  await expect(client().connect(first)).rejects.toThrow(UnauthorizedError);
  await finish(store, first, ...scopes);
  const connected = client();
  await connected.connect(transport());
  return connected;
}

/** The user logs in and allows the scopes; the client redeems the code. */
async function finish(
  store: StoredAuthorization,
  transport: StreamableHTTPClientTransport,
  ...scopes: readonly string[]
) {
  const browser = new Browser(instance.url);
  await browser.open(store.address ?? 'the client sent its user nowhere');
  await logIn(browser, user);
  const { location } = await allow(browser, ...scopes);
  expect(location?.href).toMatch(/^http:\/\/127\.0\.0\.1:34567\/callback\?code=/);
  await transport.finishAuth(location?.searchParams ?? new URLSearchParams());
}

/** Publishes the document of a client; returns its address, which is the client id. */
function publish(path: string, more: object = {}): string {
  documents.set(path, (address) => ({
    client_id: address,
    client_name: 'Published client',
    redirect_uris: [REDIRECT],
    token_endpoint_auth_method: 'none',
    ...more,
  }));
  return `${documentsUrl()}${path}`;
}

const listed = pageOfItems(grantSchema);
const grantsOf = async ({ key }: TestUser) => listed.parse((await instance.get('/auth/grants', key)).body).data;
const remember = { name: 'remember', arguments: { content: 'The harbour opens at nine.' } };

describe('the official client', () => {
  test('registers, lets its user log in, and calls tools', async () => {
    const store = new StoredAuthorization();
    const client = await connectAs(store, 'read', 'write');
    expect((await client.listTools()).tools.map(({ name }) => name)).toContain('remember');
    expect(await client.callTool(remember)).not.toHaveProperty('isError', true);
    const [grant] = await grantsOf(user);
    expect(grant).toMatchObject({
      client_name: 'Test client',
      client_host: '127.0.0.1:34567',
      scopes: ['read', 'write'],
    });
    await client.close();
  });

  test('is known by the document at its client id', async () => {
    const clientId = publish('/client.json');
    const store = new StoredAuthorization(clientId);
    const client = await connectAs(store, 'read');
    expect(store.information).toMatchObject({ client_id: clientId });
    const [grant] = await grantsOf(user);
    expect(grant).toMatchObject({ client_id: clientId, client_name: 'Published client', scopes: ['read'] });
    expect(grant?.client_host).toBe(new URL(clientId).host);
    await client.close();
  });

  test('sends its user to the consent again for a tool that needs more rights', async () => {
    const store = new StoredAuthorization();
    const client = await connectAs(store, 'read');
    const { transport } = client;
    store.address = undefined;
    await expect(client.callTool(remember)).rejects.toThrow(UnauthorizedError);
    expect(store.address).toBeDefined();
    await finish(store, z.instanceof(StreamableHTTPClientTransport).parse(transport), 'read', 'write');
    expect(await client.callTool(remember)).not.toHaveProperty('isError', true);
    await client.close();
  });

  test('refreshes its tokens when the access token has expired', async () => {
    const store = new StoredAuthorization();
    const client = await connectAs(store, 'read');
    const before = store.stored?.refresh_token;
    await instance.write("UPDATE oauth_payloads SET expires_at = now() WHERE model = 'AccessToken'");
    // A process accepts a known token for five seconds: a change of access lets it look again.
    await instance.write('UPDATE users SET role = role WHERE id = $1', [user.userId]);
    await expect.poll(() => statusAtMcp(instance, store.stored?.access_token ?? '')).toBe(401);
    expect((await client.listTools()).tools).not.toEqual([]);
    expect(store.stored?.refresh_token).not.toBe(before);
    await client.close();
  });
});

test('a user with a second factor enters a code after the password; a recovery code works once', async () => {
  const { tenantId, ...person } = await userWithPassword(instance);
  await instance.write(
    "INSERT INTO mfa_totp (user_id, tenant_id, sealed_secret, confirmed_at) VALUES ($1, $2, 's', now())",
    [person.userId, tenantId],
  );
  await instance.write(
    "INSERT INTO mfa_recovery (user_id, tenant_id, code_sha256) VALUES ($1, $2, sha256('ABCDEFGHABCDEFGH'))",
    [person.userId, tenantId],
  );
  const clientId = publish('/second-factor.json');
  const enter = async (code: string) => {
    const browser = new Browser(instance.url);
    await browser.open(authorizationAddress(instance, { client_id: clientId, code_challenge: pkce().challenge }));
    const { html } = await logIn(browser, person);
    const token = /name="mfa_token" value="([^"]+)"/.exec(html)?.[1] ?? '';
    return browser.submit([
      ['action', 'code'],
      ['mfa_token', token],
      ['code', code],
    ]);
  };
  expect(await enter('AAAA-BBBB-CCCC-DDDD')).toMatchObject({ status: 401 });
  expect((await enter('abcd-efgh-abcd-efgh')).html).toContain('Allow access?');
  const again = await enter('abcd-efgh-abcd-efgh');
  expect([again.status, again.html]).toEqual([401, expect.stringContaining('the code is wrong or was used')]);
});

test('a change of the password ends a log-in that waits for the consent', async () => {
  const person = await userWithPassword(instance);
  const clientId = publish('/changed-password.json');
  const browser = new Browser(instance.url);
  await browser.open(authorizationAddress(instance, { client_id: clientId, code_challenge: pkce().challenge }));
  expect((await logIn(browser, person)).html).toContain('Allow access?');
  const change = { current_password: PASSWORD, password: 'another long password' };
  expect((await instance.put('/auth/password', change, person.key)).status).toBe(200);
  expect(await allow(browser, 'read')).toMatchObject({ status: 403, location: null });
  expect(await browser.open(browser.address)).toMatchObject({ status: 403 });
  expect(await grantsOf(person)).toEqual([]);
});

describe('a revoked grant', () => {
  test('stops the client before a cache ends, and its refresh token', async () => {
    const store = new StoredAuthorization();
    const client = await connectAs(store, 'read');
    const [grant] = await grantsOf(user);
    const revoked = await instance.delete(`/auth/grants/${grant?.id}`, user.key);
    expect(revoked).toMatchObject({ status: 200, body: { end_reason: 'revoked' } });
    const token = store.stored?.access_token ?? '';
    await expect.poll(() => statusAtMcp(instance, token), WITHIN_CACHE_TIME).toBe(401);
    store.address = undefined;
    await expect(client.listTools()).rejects.toThrow(UnauthorizedError);
    expect(store.address).toBeDefined();
    await client.close();
  });

  test('is listed and revoked by admins, and not by other users', async () => {
    const store = new StoredAuthorization();
    const client = await connectAs(store, 'read');
    const [grant] = await grantsOf(user);
    const other = await instance.user();
    expect(await instance.get('/auth/grants?all=true', other.key)).toMatchObject({ status: 403 });
    expect(await instance.delete(`/auth/grants/${grant?.id}`, other.key)).toMatchObject({ status: 404 });
    const stranger = await instance.stranger({ role: 'admin' });
    expect(await instance.delete(`/auth/grants/${grant?.id}`, stranger.key)).toMatchObject({ status: 404 });
    const all = listed.parse((await instance.get(`/auth/grants?user=${user.userId}`)).body).data;
    expect(all.map(({ id }) => id)).toContain(grant?.id);
    expect(await instance.delete(`/auth/grants/${grant?.id}`)).toMatchObject({ status: 200 });
    await client.close();
  });
});
