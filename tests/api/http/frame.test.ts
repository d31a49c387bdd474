import { describe, expect, test } from 'vitest';
import { errorOf, expectError } from '../support/answers.ts';
import { fileInstance } from '../../setup/file-instance.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const instance = fileInstance();

/** A request to an address as it is, redirects left to be seen. */
function raw(
  path: string,
  init: Omit<RequestInit, 'headers'> & { readonly headers?: Readonly<Record<string, string>> } = {},
): Promise<Response> {
  return fetch(`${instance.url}${path}`, {
    redirect: 'manual',
    ...init,
    headers: { authorization: `Bearer ${instance.admin.key}`, ...init.headers },
  });
}

describe('an address that no route has', () => {
  test.each([
    ['GET', '/nothing'],
    ['GET', '/sessions/x/nothing'],
    ['GET', '/..%2f..%2fetc/passwd'],
    ['POST', '/nothing'],
  ])('%s %s is answered in the one shape', async (method, path) => {
    expectError(
      await instance.call(method, path, { ...(method === 'POST' ? { body: {} } : {}), key: null }),
      'NOT_FOUND',
    );
  });

  test.each([
    ['badly encoded', '/sessions/%zz'],
    ['badly encoded, as a hook', '/hooks/%'],
    ['too long in one part', `/sessions/${'x'.repeat(513)}`],
  ])('that is %s is answered in the one shape', async (_what, path) => {
    const answer = await instance.get(path);
    expect(['VALIDATION_FAILED', 'NOT_FOUND']).toContain(errorOf(answer).code);
    expect(answer.headers.get('x-api-version')).toBe('1');
  });
});

describe('headers of every answer', () => {
  test.each(['/sessions', '/sessions/unknown', '/nothing', '/health', '/openapi.json', '/events'])(
    '%s has an id of its own, the version, and those that protect',
    async (path) => {
      const { headers } = await instance.get(path);
      expect(headers.get('x-request-id')).toMatch(UUID);
      expect(headers.get('x-api-version')).toBe('1');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('SAMEORIGIN');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('content-security-policy')).toContain("default-src 'self'");
      // Without TLS a browser would then request pages and scripts over HTTPS, which is not served.
      expect(headers.get('content-security-policy')).not.toContain('upgrade-insecure-requests');
      expect(headers.get('x-powered-by')).toBeNull();
      expect(headers.get('access-control-allow-origin')).toBeNull();
    },
  );

  test('the page of the API loads nothing from elsewhere', async () => {
    const { headers, status } = await fetch(`${instance.url}/docs/static/index.html`);
    const policy = headers.get('content-security-policy') ?? '';
    expect(status).toBe(200);
    expect(policy).toContain("script-src 'self'");
    expect(policy).not.toMatch(/upgrade-insecure-requests|https:|swagger\.io/);
  });

  test('two answers have two ids', async () => {
    const ids = await Promise.all(
      [1, 2].map(async () => (await instance.get('/health/live')).headers.get('x-request-id')),
    );
    expect(new Set(ids).size).toBe(2);
  });

  test.each([
    ['trace-1.2_3', true],
    ['x'.repeat(128), true],
    ['x'.repeat(129), false],
    ['with space', false],
    ['<script>', false],
    ['a"b', false],
  ])('the id %j that a caller gives is used: %s', async (given, used) => {
    const answer = await instance.call('GET', '/sessions/unknown', { headers: { 'x-request-id': given } });
    expect(answer.headers.get('x-request-id') === given).toBe(used);
    expect(answer.body).toMatchObject({ request_id: answer.headers.get('x-request-id') });
  });
});

describe('an address without a version', () => {
  test('is sent on to version 1 with its query, method and body', async () => {
    const answer = await raw('/api/sessions?limit=1&search=a%20b');
    expect([answer.status, answer.headers.get('location')]).toEqual([308, '/api/v1/sessions?limit=1&search=a%20b']);
    const body = JSON.stringify({ type: 'prompt', session_id: 'redirected', content: 'hello' });
    const followed = await raw('/api/events', {
      method: 'POST',
      redirect: 'follow',
      body,
      headers: { 'content-type': 'application/json' },
    });
    expect(followed.status).toBe(202);
    expect(await instance.value("SELECT prompt_count AS value FROM sessions WHERE external_id = 'redirected'")).toBe(1);
  });

  test.each([
    ['larger than other routes take', 'application/json', 'x'.repeat(2 * 1024 * 1024)],
    ['of another type', 'application/octet-stream', 'x'],
    ['that is no JSON', 'application/json', '{'],
  ])('is sent on whatever its body is: %s', async (_what, type, body) => {
    const answer = await raw('/api/hooks/PostToolUse', { method: 'POST', body, headers: { 'content-type': type } });
    expect([answer.status, answer.headers.get('location')]).toEqual([308, '/api/v1/hooks/PostToolUse']);
  });

  test.each([
    ['/api//example.org/x', '/api/v1//example.org/x'],
    ['/api/https://example.org', '/api/v1/https://example.org'],
  ])('never leads to another server: %s', async (path, location) => {
    expect((await raw(path)).headers.get('location')).toBe(location);
  });

  test.each(['/api/v2/sessions', '/api/v1/nothing', '/api'])('%s is no such address', async (path) => {
    expect((await raw(path)).status).toBe(404);
  });
});

describe('pages and probes, which need no key', () => {
  test('/docs is a page of this server alone', async () => {
    const page = await raw('/docs/', { headers: { authorization: '' }, redirect: 'follow' });
    expect([page.status, page.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/html')]);
    const text = await page.text();
    expect(text).toContain('swagger-ui');
    const sources = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] ?? '');
    expect(sources.length).toBeGreaterThan(2);
    expect(sources.filter((source) => source.includes('//'))).toEqual([]);
    for (const source of sources)
      expect([source, (await fetch(new URL(source, page.url))).status]).toEqual([source, 200]);
    expect(await (await raw('/docs/json', { headers: { authorization: '' } })).json()).toMatchObject({
      openapi: '3.1.0',
    });
  });

  test.each(['', '/api/v1'])('health below %j', async (prefix) => {
    const ok = { status: 'ok', latency_ms: expect.any(Number) };
    const get = async (path: string) => {
      const answer = await raw(`${prefix}${path}`, { headers: { authorization: '' } });
      return [answer.status, await answer.json()];
    };
    // On a busy machine an engine may take longer than its check of two seconds.
    await expect
      .poll(() => get('/health'))
      .toEqual([200, { status: 'ok', dependencies: { postgres: ok, temporal: ok, weaviate: ok, embedder: ok } }]);
    expect(await get('/health/live')).toEqual([200, { status: 'alive' }]);
    await expect.poll(() => get('/health/ready')).toEqual([200, { status: 'ready' }]);
  });

  test('metrics name groups of routes, and contain neither ids nor addresses', async () => {
    await instance.get('/sessions/claude-code:a-secret-session');
    await instance.get('/nothing/a-secret-address');
    const text = String((await instance.get('/metrics')).body);
    expect(text).toMatch(/^recollect_http_requests_total\{group="sessions",status="4xx"\} [1-9]/m);
    expect(text).toMatch(/^recollect_http_requests_total\{group="other",status="4xx"\} [1-9]/m);
    expect(text).toMatch(/^recollect_http_request_duration_seconds_count\{group="sessions"\} [1-9]/m);
    expect(text).not.toContain('a-secret');
    // A request counts until its response was written, which its client may read earlier.
    await expect
      .poll(async () => String((await instance.get('/metrics')).body))
      .toMatch(/^recollect_http_requests_in_flight 1$/m);
    expect(text).not.toContain(instance.admin.tenantId);
  });
});
