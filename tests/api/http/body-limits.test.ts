import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import { writingNothing, expectError } from '../support/answers.ts';
import { fileInstance } from '../../setup/file-instance.ts';

const MIB = 1024 * 1024;
const instance = fileInstance();

interface Answer {
  readonly status: number | undefined;
  readonly code: unknown;
}

/** Sends a body in pieces, with a length or in chunks. Returns the response, even if it comes before the body was read. */
function send(path: string, pieces: readonly string[], lengthSaid: number | null): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${instance.admin.key}`,
      'content-type': 'application/json',
      ...(lengthSaid === null ? {} : { 'content-length': String(lengthSaid) }),
    };
    const outgoing = request(`${instance.url}/api/v1${path}`, { method: 'POST', headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const body: unknown = JSON.parse(Buffer.concat(chunks).toString('utf8'));
        resolve({
          status: response.statusCode,
          code: body !== null && typeof body === 'object' && 'code' in body ? body.code : null,
        });
        outgoing.destroy();
      });
    });
    // A server that has refused a body need not read the rest of it.
    outgoing.on('error', (error) => reject(error));
    for (const piece of pieces) outgoing.write(piece);
    if (lengthSaid === null) outgoing.end();
  });
}

const TOO_LARGE = { status: 413, code: 'BODY_TOO_LARGE' };
const event = (content: string) => JSON.stringify({ type: 'prompt', session_id: 'limits', content });

describe('bodies over the limit of their route', () => {
  test.each<[string, number]>([
    ['/hooks/PostToolUse', 32 * MIB],
    ['/events', 2 * MIB],
    ['/events/batch', 64 * MIB],
    ['/context', MIB],
  ])('%s rejects more than %i bytes by the length header, before reading them', async (path, limit) => {
    expect(await writingNothing(instance, () => send(path, ['{'], limit + 1))).toEqual(TOO_LARGE);
  });

  test('a body without a length is stopped when it is too long', async () => {
    expect(
      await writingNothing(instance, () =>
        send('/context', ['{"prompt": "', ...Array.from({ length: 17 }, () => 'x'.repeat(MIB / 16)), '"}'], null),
      ),
    ).toEqual(TOO_LARGE);
  });
});

describe('bodies within it', () => {
  test('a hook of 32 MiB is taken, and cut', async () => {
    const rest = JSON.stringify({ session_id: 'huge', tool_name: 'Bash', tool_response: '' });
    const body = rest.replace('""', `"${'x'.repeat(32 * MIB - rest.length)}"`);
    expect(body.length).toBe(32 * MIB);
    expect((await instance.call('POST', '/hooks/PostToolUse', { raw: body })).status).toBe(200);
    expect(
      await instance.value(
        "SELECT octet_length(content) < 65537 AND content LIKE '%bytes in all%' AS value FROM observations",
      ),
    ).toBe(true);
  });

  test('an event of exactly one MiB is taken, and one byte more is not', async () => {
    const full = event('x'.repeat(MIB - event('').length));
    expect(Buffer.byteLength(full)).toBe(MIB);
    expect((await instance.call('POST', '/events', { raw: full })).status).toBe(202);
    const more = event('y'.repeat(MIB - event('').length + 1));
    expectError(
      await writingNothing(instance, () => instance.call('POST', '/events', { raw: more })),
      'EVENT_TOO_LARGE',
    );
  });

  test('white space around an event is not counted', async () => {
    expect((await instance.call('POST', '/events', { raw: `${' '.repeat(MIB)}${event('small')}` })).status).toBe(202);
  });

  test('an event over the limit in a batch spoils no neighbour, as JSON and as NDJSON', async () => {
    const events = [event('before the large one'), event('x'.repeat(MIB)), event('after the large one')];
    const json = await instance.call('POST', '/events/batch', { raw: `[${events.join(',')}]` });
    expect(json).toMatchObject({
      status: 202,
      body: {
        accepted: 2,
        rejected: 1,
        items: [{ status: 'accepted' }, { status: 'rejected', code: 'EVENT_TOO_LARGE' }, { status: 'accepted' }],
      },
    });
    const lines = await instance.call('POST', '/events/batch', {
      raw: events.map((line) => line.replace(' the ', ' a ')).join('\n'),
      headers: { 'content-type': 'application/x-ndjson' },
    });
    expect(
      String(lines.body)
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      { index: 0, status: 'accepted' },
      { index: 1, status: 'rejected', code: 'EVENT_TOO_LARGE' },
      { index: 2, status: 'accepted' },
      { accepted: 2, duplicates: 0, rejected: 1 },
    ]);
  });
});
