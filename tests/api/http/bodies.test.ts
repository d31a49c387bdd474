import { describe, expect, test } from 'vitest';
import { CLAUDE_MEM_REQUESTS } from '../../../contract/imports.ts';
import { until, untilTrue } from '../../setup/until.ts';
import { writingNothing, expectError } from '../support/answers.ts';
import { openRequest } from '../support/open-request.ts';
import type { OpenRequest } from '../support/open-request.ts';
import { fileInstance } from '../../setup/file-instance.ts';

const MIB = 1024 * 1024;
const BUSY = { status: 503, code: 'BUSY', retryAfter: '2' };
const WAIT = { timeout: 30_000 };
const instance = fileInstance();

/** A request whose body is being sent. Chunked if no length is given. */
function open(path: string, key: string, length: number | null, type = 'application/json'): OpenRequest {
  return openRequest(`${instance.url}/api/v1${path}`, {
    ...(key === '' ? {} : { authorization: `Bearer ${key}` }),
    'content-type': type,
    ...(length === null ? {} : { 'content-length': length }),
  });
}

const list = (element: string, count: number) => `[${`${element},`.repeat(count - 1)}${element}]`;

describe('JSON that a parser would make too much of', () => {
  test.each<[string, string, string]>([
    ['/events/batch', 'empty objects', list('{}', MIB)],
    ['/events/batch', 'numbers', list('1', 200_000)],
    ['/memories/batch', 'empty objects', `{"memories":${list('{}', MIB)}}`],
    [
      '/hooks/PostToolUse',
      'short keys',
      `{"session_id":"wide","tool_input":{${Array.from({ length: 100_000 }, (_, at) => `"${at}":0`).join(',')}}}`,
    ],
    ['/events', 'lists within lists', '['.repeat(MIB)],
    ['/events/batch', 'objects within objects', `${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`],
    ['/context', 'lists within lists', `${'['.repeat(1_000)}${']'.repeat(1_000)}`],
  ])('%s refuses it: %s', async (path, _what, raw) => {
    expectError(await writingNothing(instance, () => instance.call('POST', path, { raw })), 'VALIDATION_FAILED');
  });

  test.each(['/events/batch', '/memories/batch'])('%s takes no more than 4 MiB at once', async (path) => {
    const answer = await instance.call('POST', path, { raw: ' '.repeat(4 * MIB + 1) });
    expectError(answer, 'BODY_TOO_LARGE');
  });
});

describe('a body whose key is not known', () => {
  test.each([
    ['/events', 'application/json'],
    ['/hooks/Stop', 'application/json'],
    ['/events/batch', 'application/x-ndjson'],
    ['/transcripts', 'application/x-ndjson'],
    ['/imports/files', 'application/zstd'],
    ['/imports/claude-mem/rows', 'application/x-ndjson'],
    ['/context', 'application/json'],
  ])('is not read: %s', async (path, type) => {
    expect(await open(path, '', MIB, type).answer).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
    expect(await open(path, 'rcl_not-a-key-of-anybody', null, type).answer).toMatchObject({ status: 401 });
  });

  test('is not read at the address for agents', async () => {
    const { answer } = openRequest(`${instance.url}/mcp`, {
      'content-type': 'application/json',
      'content-length': MIB,
    });
    expect(await answer).toMatchObject({ status: 401, code: 'UNAUTHENTICATED' });
  });
});

describe('bodies in memory have a common bound', () => {
  test.each([
    ['that say their length', 32 * MIB],
    ['in chunks', null],
  ])('bodies %s', async (_how, length) => {
    const user = await instance.stranger();
    const other = await instance.stranger();
    const unfinished = [open('/hooks/Stop', user.key, length), open('/hooks/Stop', user.key, length)];
    for (const body of unfinished) await body.write(Buffer.alloc(31 * MIB, ' '));
    const refused = open('/hooks/Stop', user.key, length);
    const writing = refused.write(Buffer.alloc(31 * MIB, ' ')).catch(() => undefined);
    expect(await refused.answer).toEqual(BUSY);
    // Others have places of their own.
    const fine = { session_id: 'fine' };
    expect((await instance.post('/hooks/Stop', fine, other.key)).status).toBe(200);
    for (const body of [...unfinished, refused]) body.close();
    await writing;
    await untilTrue(
      async () => (await instance.post('/hooks/Stop', { session_id: 'x'.repeat(20 * MIB) }, user.key)).status === 422,
    );
  });
});

describe('a client that leaves while its key is looked up', () => {
  /** Runs requests up to the look-up of their key, closes them, and lets the look-ups continue. */
  const leave = async (requests: () => OpenRequest[]): Promise<void> => {
    const lock = await instance.db.superuser.connect();
    try {
      await lock.query('BEGIN; LOCK TABLE api_keys IN ACCESS EXCLUSIVE MODE');
      const open = requests();
      const waiting =
        "SELECT count(*)::int AS value FROM pg_locks WHERE NOT granted AND relation = 'api_keys'::regclass";
      const looksUp = async () => (await lock.query<{ value: number }>(waiting)).rows[0]?.value ?? 0;
      await untilTrue(async () => (await looksUp()) >= open.length);
      for (const request of open) request.close();
      // A later request is answered: the process knows that the others were closed.
      expect((await instance.get('/health/live', null)).status).toBe(200);
    } finally {
      await lock.query('ROLLBACK');
      lock.release();
    }
  };

  test('leaves its share of memory to its other requests', async () => {
    const user = await instance.stranger();
    await leave(() => Array.from({ length: 3 }, () => open('/hooks/Stop', user.key, 32 * MIB)));
    const large = async () =>
      (await instance.post('/hooks/Stop', { session_id: 'x'.repeat(20 * MIB) }, user.key)).status;
    await expect.poll(large, WAIT).toBe(422);
  });

  test('leaves its places to its other requests', async () => {
    const user = await instance.stranger();
    await leave(() => Array.from({ length: 8 }, () => open('/events/batch', user.key, MIB, 'application/x-ndjson')));
    const call = { key: user.key, raw: '{}', headers: { 'content-type': 'application/x-ndjson' } };
    await expect.poll(async () => (await instance.call('POST', '/events/batch', call)).status, WAIT).toBe(202);
  });
});

describe('uploads', () => {
  const transcript = `/transcripts?machine=m&path=%2Fp.jsonl&fingerprint=f&offset=0&size=10&quiet_ms=0&modified_at=2026-01-01T00:00:00Z`;

  test('of one user leave places for the others', async () => {
    const user = await instance.stranger();
    const other = await instance.stranger();
    const send = async (key: string) =>
      (
        await instance.call('POST', transcript, {
          key,
          raw: '{}\n',
          headers: { 'content-type': 'application/x-ndjson' },
        })
      ).status;
    // Its key is known then: the slow request takes its place at once. If the key has to be looked up all the same, the next request may take the place first.
    const slow = await until(async () => {
      expect((await instance.get('/auth/me', user.key)).status).toBe(200);
      const request = open(transcript, user.key, 10, 'application/x-ndjson');
      await request.write(Buffer.from('{'));
      expect((await instance.get('/health/live', null)).status).toBe(200);
      if ((await send(user.key)) === 503) return request;
      request.close();
      return undefined;
    });
    expect(await send(other.key)).toBe(200);
    slow.close();
    await untilTrue(async () => (await send(user.key)) === 200);
  });

  test('of a file whose client leaves are no fault of the server', async () => {
    const status = async () => {
      const [row] = await instance.rows<{ status: number }>(
        "SELECT status FROM audit_log WHERE action = 'POST /imports/files'",
      );
      return row?.status;
    };
    // Its key is known then: the upload begins at once.
    expect((await instance.get('/auth/me')).status).toBe(200);
    const sending = open('/imports/files', instance.admin.key, MIB, 'application/zstd');
    await sending.write(Buffer.from([0x28, 0xb5, 0x2f, 0xfd]));
    expect((await instance.get('/health/live', null)).status).toBe(200);
    sending.close();
    await expect.poll(status, WAIT).toBe(400);
  });

  test('accepts as many requests with rows of claude-mem as the client sends, and no more', async () => {
    const user = await instance.stranger();
    const rows = `/imports/claude-mem/rows?source=${'c'.repeat(32)}&table=observations`;
    const sent = Array.from({ length: CLAUDE_MEM_REQUESTS + 1 }, async () => {
      const request = open(rows, user.key, 2, 'application/x-ndjson');
      await request.write(Buffer.from('\n'));
      return request;
    });
    const requests = await Promise.all(sent);
    const first = await Promise.race(requests.map(async (request) => ({ request, answer: await request.answer })));
    expect(first.answer).toEqual(BUSY);
    const accepted = requests.filter((request) => request !== first.request);
    for (const request of accepted) await request.write(Buffer.from('\n'));
    expect(await Promise.all(accepted.map(({ answer }) => answer))).toEqual(
      accepted.map(() => expect.objectContaining({ status: 200 })),
    );
  });
});
