import { once } from 'node:events';
import { request } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, expect, test } from 'vitest';
import { createApiDependencies } from '../../../api/dependencies.ts';
import { createServer } from '../../../api/server.ts';
import { createLogger } from '../../../telemetry/logger.ts';
import { parseConfig } from '../../../config/config.ts';
import { fileInstance } from '../../setup/file-instance.ts';

const APP = 'https://app.example.org';
const instance = fileInstance({
  RECOLLECT_PUBLIC_URL: 'https://Memory.example.org:8443/',
  RECOLLECT_ALLOWED_HOSTS: 'recollect.default.svc, 192.0.2.7,2001:db8::7',
  RECOLLECT_CORS_ORIGINS: `${APP}, http://localhost:5173`,
});

interface Sent {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Sends a request with the admin's key and these headers, `Host` included. */
async function send({ method = 'GET', path = '/api/v1/projects', headers = {} }: Sent) {
  const sent = request(`${instance.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${instance.admin.key}`, ...headers },
  });
  const answered = once(sent, 'response');
  sent.end();
  const [response] = await answered;
  const parts: Buffer[] = [];
  for await (const part of response) parts.push(part);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(parts).toString() };
}

describe('the header Host', () => {
  test.each([
    'localhost',
    'LOCALHOST:1',
    '127.0.0.1:37700',
    '127.8.8.8',
    '[::1]:37700',
    'memory.example.org',
    'MEMORY.example.org:8443',
    'recollect.default.svc:37700',
    '192.0.2.7',
    '[2001:db8::7]:37700',
  ])('may be %s', async (host) => {
    expect((await send({ headers: { host } })).status).toBe(200);
  });

  test.each([
    'evil.example',
    'memory.example.org.evil.example',
    'evil.example:37700',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'default.svc',
    '192.0.2.8',
    '169.254.169.254',
    '0.0.0.0',
    '[::]',
    'localhost@evil.example',
    ' ',
  ])('may not be %j', async (host) => {
    const { status, body } = await send({ headers: { host } });
    expect([status, JSON.parse(body)]).toEqual([
      421,
      expect.objectContaining({ code: 'HOST_NOT_ALLOWED', error: expect.stringContaining('RECOLLECT_ALLOWED_HOSTS') }),
    ]);
  });

  test.each([
    ['GET', '/health/live'],
    ['GET', '/docs/json'],
    ['GET', '/api/v1/openapi.json'],
    ['GET', '/nothing'],
    ['GET', '/api/projects'],
    ['POST', '/mcp'],
    ['POST', '/api/v1/auth/invites/accept'],
    ['OPTIONS', '/api/v1/projects'],
  ])('is checked for %s %s before anything else', async (method, path) => {
    expect((await send({ method, path, headers: { host: 'evil.example' } })).status).toBe(421);
    const forwarded = { host: 'evil.example', 'x-forwarded-host': 'localhost', forwarded: 'host=localhost' };
    expect((await send({ method, path, headers: forwarded })).status).toBe(421);
  });

  test('may be absent from programs older than it', async () => {
    const { hostname, port } = new URL(instance.url);
    const socket = connect(Number(port), hostname).end('GET /health/live HTTP/1.0\r\n\r\n').setEncoding('latin1');
    let answer = '';
    for await (const part of socket) answer += String(part);
    expect(answer).toMatch(/^HTTP\/1\.\d 200 /);
  });
});

describe('a page of another origin', () => {
  const preflight = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' };

  test.each([APP, 'http://localhost:5173'])('in the list, %s, may use every route with a key', async (origin) => {
    const { status, headers } = await send({ headers: { origin } });
    expect(status).toBe(200);
    expect(headers).toMatchObject({ 'access-control-allow-origin': origin, 'access-control-expose-headers': '*' });
    expect(headers.vary).toMatch(/\bOrigin\b/);
    expect(headers['access-control-allow-credentials']).toBeUndefined();
    // Also what is refused can be read.
    const refused = await send({ headers: { origin, authorization: 'Bearer nothing-known' } });
    expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([401, origin]);
  });

  test('in the list gets an answer to its preflight on every route, without a key', async () => {
    const paths = new Set(instance.routes.map(({ url }) => url.replaceAll(/:\w+|\*/g, 'x')));
    expect(paths.size).toBeGreaterThan(80);
    for (const path of paths) {
      const { status, headers, body } = await send({
        method: 'OPTIONS',
        path,
        headers: { origin: APP, authorization: '', ...preflight },
      });
      expect([path, status, body]).toEqual([path, 204, '']);
      expect(headers).toMatchObject({
        'access-control-allow-origin': APP,
        'access-control-allow-headers': 'authorization',
        'access-control-allow-methods': expect.stringContaining('DELETE'),
      });
    }
  });

  test.each([
    'https://evil.example',
    'null',
    'https://app.example.org.evil.example',
    'https://app.example.or',
    'https://app.example.org:8443',
    'http://app.example.org',
    'https://APP.example.org',
    'https://app.example.org/',
    'https://evil.example, https://app.example.org',
    '*',
    '',
  ])('%j gets no CORS header', async (origin) => {
    for (const sent of [{}, { method: 'OPTIONS' }]) {
      const { headers } = await send({ ...sent, headers: { origin, ...preflight } });
      expect(Object.keys(headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
      expect(headers.vary).toMatch(/\bOrigin\b/);
    }
    const refused = await send({ method: 'OPTIONS', headers: { origin, ...preflight } });
    expect(refused.status).toBe(405);
  });

  test.each([
    [APP, 200],
    ['https://memory.example.org:8443', 200],
    ['https://evil.example', 403],
  ])('%s that calls /mcp is answered with %i', async (origin, status) => {
    const body = {
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'page', version: '1' } },
    };
    const answer = await fetch(`${instance.url}/mcp`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: {
        authorization: `Bearer ${instance.admin.key}`,
        'content-type': 'application/json',
        accept: 'application/json, text/event-stream',
        origin,
      },
    });
    expect(answer.status).toBe(status);
  });
});

test.each([
  ['RECOLLECT_ALLOWED_HOSTS', '*'],
  ['RECOLLECT_ALLOWED_HOSTS', '*.example.org'],
  ['RECOLLECT_ALLOWED_HOSTS', 'example.org:80'],
  ['RECOLLECT_ALLOWED_HOSTS', 'https://example.org'],
  ['RECOLLECT_ALLOWED_HOSTS', 'x'.repeat(5_000)],
  ['RECOLLECT_CORS_ORIGINS', '*'],
  ['RECOLLECT_CORS_ORIGINS', 'null'],
  ['RECOLLECT_CORS_ORIGINS', 'app.example.org'],
  ['RECOLLECT_CORS_ORIGINS', 'https://app.example.org/'],
  ['RECOLLECT_CORS_ORIGINS', 'https://app.example.org:443'],
  ['RECOLLECT_CORS_ORIGINS', 'https://*.example.org'],
  ['RECOLLECT_CORS_ORIGINS', 'file:///etc/passwd'],
  ['RECOLLECT_CORS_ORIGINS', `${APP},`.repeat(300)],
])('%s refuses %j', (name, value) => {
  expect(() => parseConfig({ ...instance.environment, [name]: value })).toThrow(name);
});

test('a probe that connects to an address of the machine may name it, and no other address', async () => {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const address = all.find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';
  const settings = { RECOLLECT_HTTP_HOST: '0.0.0.0', RECOLLECT_ALLOW_PLAIN_HTTP: 'true' };
  const logger = createLogger('test', 'silent');
  const dependencies = createApiDependencies(parseConfig({ ...instance.environment, ...settings }), logger);
  const server = await createServer({ dependencies, logger, isStopping: () => false });
  try {
    const { port } = new URL(await server.listen({ host: '0.0.0.0', port: 0 }));
    const probe = async (host: string): Promise<number | undefined> => {
      const sent = request({ host: address, port, path: '/health/live', headers: { host } }).end();
      const [response] = await once(sent, 'response');
      response.resume();
      return response.statusCode;
    };
    expect(await probe(`${address}:${port}`)).toBe(200);
    expect(await probe('203.0.113.9')).toBe(421);
  } finally {
    await server.close();
    await dependencies.close();
  }
});
