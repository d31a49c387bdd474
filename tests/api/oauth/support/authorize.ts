import { expect } from 'vitest';
import { z } from 'zod';
import { fileInstance } from '../../../setup/file-instance.ts';
import type { TestUser } from '../../../setup/database.ts';
import type { TestInstance } from '../../../setup/instance.ts';
import { closedPort } from '../../support/closed-port.ts';
import { PASSWORD, withPassword } from '../../support/log-in.ts';
import { Browser } from './browser.ts';
import type { Seen } from './browser.ts';
import { pkce, REDIRECT } from './client.ts';

/** Registers the start of an instance with an authorization server: its public address is that where it listens. */
export function oauthInstance(settings: Readonly<Record<string, string>> = {}): TestInstance {
  return fileInstance(async () => {
    const port = await closedPort();
    return {
      RECOLLECT_HTTP_PORT: String(port),
      RECOLLECT_PUBLIC_URL: `http://127.0.0.1:${port}`,
      RECOLLECT_OAUTH: 'true',
      RECOLLECT_OAUTH_REGISTRATION: 'true',
      ...settings,
    };
  });
}

/** Creates a user of the admin's tenant who can log in. */
export async function userWithPassword(instance: TestInstance, role: 'user' | 'viewer' = 'user'): Promise<TestUser> {
  const user = await instance.user({ role });
  await withPassword(instance, user);
  return user;
}

/** Sends JSON or a form to the authorization server. */
export async function send(instance: TestInstance, path: string, body: object | URLSearchParams) {
  const isForm = body instanceof URLSearchParams;
  const response = await fetch(`${instance.url}${path}`, {
    method: 'POST',
    body: isForm ? body : JSON.stringify(body),
    headers: { 'content-type': isForm ? 'application/x-www-form-urlencoded' : 'application/json' },
  });
  const text = await response.text();
  return {
    status: response.status,
    body: z.record(z.string(), z.unknown()).parse(text === '' ? {} : JSON.parse(text)),
  };
}

/** Registers a client; returns its id. */
export async function register(instance: TestInstance, name = 'Test client'): Promise<string> {
  const { status, body } = await send(instance, '/oauth/register', { client_name: name, redirect_uris: [REDIRECT] });
  expect([status, body]).toEqual([201, expect.not.objectContaining({ client_secret: expect.anything() })]);
  return z.object({ client_id: z.string() }).parse(body).client_id;
}

type Parameters = Readonly<Record<string, string>>;

/** Returns the address to which a client sends its user. */
export function authorizationAddress(instance: TestInstance, parameters: Parameters): URL {
  const address = new URL(`${instance.url}/oauth/auth`);
  const all = {
    response_type: 'code',
    redirect_uri: REDIRECT,
    scope: 'read write',
    state: 'the state',
    resource: `${instance.url}/mcp`,
    code_challenge_method: 'S256',
    ...parameters,
  };
  for (const [name, value] of Object.entries(all)) address.searchParams.set(name, value);
  return address;
}

/** Logs the user in on the page that a browser shows. */
export function logIn(browser: Browser, { userId }: Pick<TestUser, 'userId'>, password = PASSWORD): Promise<Seen> {
  // Names of test users are their ids.
  return browser.submit([
    ['action', 'password'],
    ['username', userId],
    ['password', password],
  ]);
}

/** Allows the scopes on the page that a browser shows. */
export function allow(browser: Browser, ...scopes: readonly string[]): Promise<Seen> {
  return browser.submit([['action', 'allow'], ...scopes.map((scope) => ['scope', scope] as const)]);
}

/** Lets a user give access to a client; returns the code with its verifier. */
export async function obtainCode(
  instance: TestInstance,
  user: TestUser,
  clientId: string,
  scopes: readonly string[] = ['read', 'write'],
) {
  const { verifier, challenge } = pkce();
  const browser = new Browser(instance.url);
  await browser.open(authorizationAddress(instance, { client_id: clientId, code_challenge: challenge }));
  await logIn(browser, user);
  const { location } = await allow(browser, ...scopes);
  expect(location?.searchParams.get('code')).toEqual(expect.any(String));
  return { code: location?.searchParams.get('code') ?? '', verifier };
}

const tokens = z.object({ access_token: z.string(), refresh_token: z.string(), scope: z.string() });

/** Sends a request to the token endpoint. */
export function tokenRequest(instance: TestInstance, parameters: Parameters) {
  return send(instance, '/oauth/token', new URLSearchParams({ resource: `${instance.url}/mcp`, ...parameters }));
}

/** Redeems a code. */
export function redeem(
  instance: TestInstance,
  clientId: string,
  { code, verifier }: Awaited<ReturnType<typeof obtainCode>>,
) {
  return tokenRequest(instance, {
    grant_type: 'authorization_code',
    client_id: clientId,
    redirect_uri: REDIRECT,
    code,
    code_verifier: verifier,
  });
}

/** Uses a refresh token. */
export function refresh(instance: TestInstance, clientId: string, token: string) {
  return tokenRequest(instance, { grant_type: 'refresh_token', client_id: clientId, refresh_token: token });
}

/** Lets a user give access to a client; returns its tokens. */
export async function obtainTokens(
  instance: TestInstance,
  user: TestUser,
  clientId: string,
  scopes?: readonly string[],
) {
  const { status, body } = await redeem(instance, clientId, await obtainCode(instance, user, clientId, scopes));
  expect([status, body]).toEqual([200, expect.anything()]);
  return tokens.parse(body);
}

/** Sends a request to `/mcp` that lists the tools; returns the status. */
export async function statusAtMcp(instance: TestInstance, token: string): Promise<number> {
  return (await callMcp(instance, token, 'tools/list', {})).status;
}

/** Sends a request of JSON-RPC to `/mcp`. */
export function callMcp(instance: TestInstance, token: string, method: string, params: object): Promise<Response> {
  return fetch(`${instance.url}/mcp`, {
    method: 'POST',
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    headers: {
      authorization: `Bearer ${token}`,
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
      'mcp-protocol-version': '2025-11-25',
    },
  });
}
