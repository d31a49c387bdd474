import { METHODS, request } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { fileInstance } from '../../setup/file-instance.ts';
import { inTime } from '../support/answers.ts';

const instance = fileInstance();

interface Answer {
  readonly status: number | undefined;
  readonly allow: string | undefined;
  readonly body: string;
}

/** Any method that Node's parser knows; a body is announced and never sent where a length is given. */
function send(method: string, path: string, announced: number | null = null): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${instance.admin.key}`,
      ...(announced === null ? {} : { 'content-type': 'application/json', 'content-length': String(announced) }),
    };
    const outgoing = request(`${instance.url}${path}`, { method, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const allow = response.headers.allow;
        resolve({ status: response.statusCode, allow, body: Buffer.concat(chunks).toString('utf8') });
        outgoing.destroy();
      });
    });
    outgoing.on('error', reject);
    if (announced === null) outgoing.end();
    else outgoing.flushHeaders();
  });
}

/** Bytes as they are, and everything that comes back until the server closes. */
function sendRaw(bytes: string): Promise<string> {
  const { hostname, port } = new URL(instance.url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(bytes));
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('end', () => resolve(Buffer.concat(chunks).toString('utf8')));
    socket.on('error', reject);
  });
}

const ROUTES: readonly (readonly [path: string, methods: readonly string[]])[] = [
  ['/metrics', ['GET', 'HEAD']],
  ['/mcp', ['DELETE', 'GET', 'HEAD', 'POST']],
  ['/api/v1/events', ['POST']],
  ['/api/v1/hooks/Stop', ['POST']],
  ['/api/v1/sessions?limit=2', ['GET', 'HEAD']],
  ['/api/v1/memories/00000000-0000-7000-8000-000000000000', ['DELETE', 'GET', 'HEAD', 'PUT']],
  ['/api/v1/memories/get', ['POST']],
  ['/api/v1/openapi.json', ['GET', 'HEAD']],
];

describe('a method that a route does not have', () => {
  test.each(ROUTES)('gets 405 with Allow on %s, whichever it is', async (path, methods) => {
    const missing = METHODS.filter((method) => !methods.includes(method) && method !== 'CONNECT');
    for (const method of missing) {
      const { status, allow, body } = await send(method, path);
      expect([method, status, allow]).toEqual([method, 405, methods.join(', ')]);
      expect(body).toContain(method === 'HEAD' ? '' : '"code":"METHOD_NOT_ALLOWED","details":[]');
    }
  });

  test('gets 405 before its body arrives', async () => {
    expect(await send('PUT', '/api/v1/events', 500_000)).toMatchObject({ status: 405, allow: 'POST' });
    expect(await send('QUERY', '/metrics', 500_000)).toMatchObject({ status: 405, allow: 'GET, HEAD' });
  });

  test('is 404 where no method has the path, before a body arrives', async () => {
    for (const method of ['GET', 'POST', 'QUERY', 'TRACE', 'OPTIONS'])
      expect(await send(method, '/api/v1/nothing', method === 'POST' ? 500_000 : null)).toMatchObject({
        status: 404,
        body: expect.stringContaining('"NOT_FOUND"'),
      });
  });
});

test('HEAD answers like GET, without a body', async () => {
  const health = await send('HEAD', '/api/v1/health/live');
  expect(health).toEqual({ status: 200, allow: undefined, body: '' });
});

describe('what the HTTP parser refuses comes in the shape of every error', () => {
  test.each([
    ['a method that HTTP does not know', 'FETCH /metrics HTTP/1.1\r\nHost: x\r\n\r\n', 405, 'METHOD_NOT_ALLOWED'],
    ['CONNECT', 'CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n', 405, 'METHOD_NOT_ALLOWED'],
    ['no HTTP', 'GET /metrics HTP/1.1\r\n\r\n', 400, 'MALFORMED_REQUEST'],
    [
      'two lengths',
      'POST /api/v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx',
      400,
      'MALFORMED_REQUEST',
    ],
    [
      'long headers',
      `GET /metrics HTTP/1.1\r\nHost: x\r\nX-Long: ${'x'.repeat(70_000)}\r\n\r\n`,
      431,
      'HEADERS_TOO_LARGE',
    ],
  ])('%s', async (_what, bytes, status, code) => {
    const [head = '', body = ''] = (await sendRaw(bytes)).split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(/^allow: (.*)$/im.exec(head)?.[1]).toBe(status === 405 ? 'DELETE, GET, HEAD, POST, PUT' : undefined);
    expect(JSON.parse(body)).toEqual({ error: expect.any(String), code, details: [], request_id: expect.any(String) });
  });
});

test('answers others after clients reset their CONNECT requests', async () => {
  const { hostname, port } = new URL(instance.url);
  const reset = () =>
    new Promise<void>((resolve) => {
      const socket = connect(Number(port), hostname, () =>
        socket.write('CONNECT example.org:443 HTTP/1.1\r\nHost: example.org\r\n\r\n', () => socket.resetAndDestroy()),
      );
      socket.on('error', () => undefined).on('close', () => resolve());
    });
  await Promise.all(Array.from({ length: 20 }, reset));
  // An error of a socket without a listener ends the process, and this run.
  expect((await inTime(() => instance.get('/health'))).status).toBe(200);
});
