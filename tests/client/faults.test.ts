import { describe, expect, test } from 'vitest';
import { RecollectClient, RecollectError } from '../../client/index.ts';
import type { NewMemory } from '../../client/index.ts';
import { retryAfterMs, waitBeforeMs } from '../../client/requester.ts';
import { scriptedServer } from './support/scripted-server.ts';
import type { Step } from './support/scripted-server.ts';

const OK: Step = { status: 200, body: { data: [] } };
const BUSY: Step = {
  status: 503,
  headers: { 'retry-after': '0' },
  body: { error: 'unavailable', code: 'STORAGE_UNAVAILABLE', details: [], request_id: 'r-1' },
};

const clientOf = (url: string, more: object = {}) =>
  new RecollectClient({ url, apiKey: 'key-of-a-test', timeoutMs: 60_000, ...more });

/** What a call rejects with; fails where it does not. */
async function failureOf(work: Promise<unknown>): Promise<RecollectError> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(RecollectError);
  return error as RecollectError;
}

describe('what may be done twice is tried again', () => {
  test.each<[string, Step]>([
    ['503', BUSY],
    ['429', { status: 429, headers: { 'retry-after': '0' }, body: { error: 'slow down', code: 'RATE_LIMITED' } }],
    ['a cut line', 'cut'],
    ['half an answer', 'half'],
  ])('after %s', async (_name, fault) => {
    const server = await scriptedServer([fault, OK]);
    await expect(clientOf(server.url).search('x')).resolves.toEqual({ data: [] });
    expect(server.seen).toHaveLength(2);
  });

  test('after the wait that the server requests', async () => {
    const server = await scriptedServer([{ ...BUSY, headers: { 'retry-after': '1' } }, OK]);
    const started = performance.now();
    await clientOf(server.url).context({ purpose: 'prompt', prompt: 'x' });
    expect(performance.now() - started).toBeGreaterThan(990);
  });

  test('so often and no more', async () => {
    const server = await scriptedServer([BUSY]);
    expect(await failureOf(clientOf(server.url, { retries: 2 }).get('1'))).toMatchObject({
      status: 503,
      code: 'STORAGE_UNAVAILABLE',
      requestId: 'r-1',
      retryAfterMs: 0,
      message: 'unavailable',
    });
    expect(server.seen).toHaveLength(3);
  });

  test('not if the server requests a longer wait than is allowed', async () => {
    const server = await scriptedServer([{ ...BUSY, headers: { 'retry-after': '3600' } }, OK]);
    expect((await failureOf(clientOf(server.url).search('x'))).retryAfterMs).toBe(3_600_000);
    expect(server.seen).toHaveLength(1);
  });

  test('nor what the server refused', async () => {
    const details = [{ field: 'q', message: 'is empty' }];
    const server = await scriptedServer([
      { status: 422, body: { error: 'not valid', code: 'VALIDATION_FAILED', details, request_id: 'r-2' } },
    ]);
    expect(await failureOf(clientOf(server.url).search(''))).toMatchObject({
      status: 422,
      code: 'VALIDATION_FAILED',
      details,
      requestId: 'r-2',
    });
    expect(server.seen).toHaveLength(1);
  });

  test('forgetting is not: it would be reported as an unknown memory', async () => {
    const server = await scriptedServer([
      'half',
      { status: 404, body: { error: 'no such memory', code: 'NOT_FOUND' } },
    ]);
    expect((await failureOf(clientOf(server.url).remove('abcdefgh'))).code).toBe('UNREACHABLE');
    expect(server.seen).toHaveLength(1);
  });

  test('what cannot be sent is not tried at all', async () => {
    const server = await scriptedServer([OK]);
    const circle: Record<string, unknown> = { content: 'x' };
    circle['tags'] = circle;
    const fetched: string[] = [];
    const fetch = (url: string) => {
      fetched.push(url);
      return Promise.reject(new TypeError('requested'));
    };
    const calls = [
      clientOf(server.url, { fetch }).store(circle as unknown as NewMemory),
      clientOf(server.url, { fetch }).storeBatch([circle as unknown as NewMemory]),
      clientOf('no address', { fetch }).search('x'),
      clientOf(server.url, { fetch, apiKey: 'two\nlines' }).search('x'),
    ];
    for (const call of calls) expect(await failureOf(call)).toMatchObject({ code: 'INVALID_CALL', status: 0 });
    expect(fetched).toEqual([]);
    expect(await failureOf(clientOf(server.url, { fetch, retries: 0 }).get('\uD800'))).toMatchObject({
      code: 'UNREACHABLE',
    });
  });

  test('storing is; storing that counts as evidence each time is not', async () => {
    const server = await scriptedServer(['cut', { status: 201, body: { hash: 'abcdefgh' } }, 'cut']);
    const client = clientOf(server.url);
    expect(await client.store('one')).toEqual({ hash: 'abcdefgh' });
    expect(server.seen.map(({ body }) => body)).toEqual([{ content: 'one' }, { content: 'one' }]);
    expect((await failureOf(client.store({ content: 'two', infer: true }))).code).toBe('UNREACHABLE');
    expect(server.seen).toHaveLength(3);
  });
});

describe('bounds', () => {
  test('a silent server is given up on, once', async () => {
    const server = await scriptedServer(['silence']);
    const failure = await failureOf(clientOf(server.url).search('x', {}, { timeoutMs: 1_000 }));
    expect(failure).toMatchObject({ status: 0, code: 'TIMEOUT', requestId: null, details: [] });
    expect(failure.message).toContain('within 1000 ms');
    expect(server.seen).toHaveLength(1);
  });

  test('the caller’s signal ends a request, a wait, and an unstarted call', async () => {
    const server = await scriptedServer((_seen, index) =>
      index === 0 ? 'silence' : { ...BUSY, headers: { 'retry-after': '20' } },
    );
    const client = clientOf(server.url);
    for (const began of [1, 2]) {
      const controller = new AbortController();
      const call = failureOf(client.search('x', {}, { signal: controller.signal }));
      await expect.poll(() => server.seen.length).toBe(began);
      controller.abort(new Error('enough'));
      expect(await call).toMatchObject({ code: 'ABORTED', cause: new Error('enough') });
    }
    expect((await failureOf(client.search('x', {}, { signal: AbortSignal.abort() }))).code).toBe('ABORTED');
    expect(server.seen).toHaveLength(2);
  });

  test('no server', async () => {
    const failure = await failureOf(clientOf('http://127.0.0.1:9', { retries: 1 }).search('x'));
    expect(failure).toMatchObject({ code: 'UNREACHABLE', status: 0 });
    expect(failure.cause).toBeInstanceOf(Error);
  });

  test.each([
    [502, '<h1>Bad gateway</h1>', 'BAD_ANSWER'],
    [200, '<h1>Log in</h1>', 'BAD_ANSWER'],
    [200, [1], 'BAD_ANSWER'],
    [404, { error: 7, code: 'NOT_FOUND', details: 'none' }, 'NOT_FOUND'],
  ])('an answer that is none of the server’s: %s %j', async (status, body, code) => {
    const server = await scriptedServer([{ status, body, headers: { 'x-request-id': 'r-3' } }]);
    expect(await failureOf(clientOf(server.url).get('1'))).toMatchObject({
      status,
      code,
      details: [],
      requestId: 'r-3',
    });
  });

  test('a server that is down is reported', async () => {
    const server = await scriptedServer([{ status: 503, body: { status: 'down' } }]);
    expect(await clientOf(server.url).health({ format: 'compact' })).toEqual({ status: 'down' });
    expect(server.seen.map(({ url }) => url)).toEqual(['/api/v1/health?format=compact']);
  });
});

describe('waits', () => {
  test.each([
    [null, null],
    ['0', 0],
    ['7', 7_000],
    [' 7 ', 7_000],
    ['Wed, 21 Oct 2015 07:28:10 GMT', 10_000],
    ['Wed, 21 Oct 2015 07:27:00 GMT', 0],
    ['soon', null],
    ['-3', null],
  ])('Retry-After %j means %j ms', (header, expected) => {
    expect(retryAfterMs(header, Date.parse('2015-10-21T07:28:00Z'))).toBe(expected);
  });

  test('double, with jitter, up to eight seconds', () => {
    expect([1, 2, 3, 4, 10].map((attempt) => waitBeforeMs(attempt, null, () => 1))).toEqual([
      250, 500, 1000, 2000, 8000,
    ]);
    expect(waitBeforeMs(10, null, () => 0)).toBe(0);
    expect(waitBeforeMs(1, 2_000, () => 0.5)).toBe(2_125);
  });
});
