import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { captureLines } from '../../../api/intake/ndjson.ts';
import type { CommitResult } from '../../../stores/postgres/capture/isolate-faulty.ts';
import type { HostEvent } from '../../../domain/capture/event.ts';
import { asId } from '../../../domain/ids.ts';
import type { RowId, SessionId } from '../../../domain/ids.ts';
import { gate, sqlError } from './capture-events.ts';
import { untilTrue } from '../../setup/until.ts';

const MIB = 1024 * 1024;

function contentOf(event: HostEvent): string {
  const part = event.parts[0];
  return part?.kind === 'prompt' ? part.content : '';
}

function accepted(event: HostEvent): CommitResult {
  return {
    status: 'accepted',
    rowId: asId<RowId>(contentOf(event)),
    seq: 1,
    sessionId: asId<SessionId>('s'),
    reason: null,
  };
}

const line = (content: string): string => JSON.stringify({ type: 'prompt', session_id: 's', content });

interface Answer {
  readonly items: readonly Record<string, unknown>[];
  readonly counts: Record<string, unknown>;
  /** Events of each call of the store. */
  readonly groups: readonly (readonly string[])[];
}

/** Sends chunks as a body, and reads what is answered. */
async function send(
  chunks: Iterable<Buffer | string> | AsyncIterable<Buffer | string>,
  capture: (events: readonly HostEvent[], call: number) => Promise<CommitResult[]> = (events) =>
    Promise.resolve(events.map(accepted)),
  delivery: string | null = null,
): Promise<Answer> {
  const groups: string[][] = [];
  const lines: string[] = [];
  const body = Readable.from(chunks, { objectMode: false });
  const answered = captureLines(body, delivery, (events) => {
    groups.push(events.map(contentOf));
    return capture(events, groups.length);
  });
  for await (const text of answered) {
    expect(text.endsWith('\n')).toBe(true);
    lines.push(...text.trimEnd().split('\n'));
  }
  const answers = lines.map((text): Record<string, unknown> => JSON.parse(text));
  return { items: answers.slice(0, -1), counts: answers.at(-1) ?? {}, groups };
}

/** Awaits that a count stays what it is for a while of the event loop; answers it. */
async function standsStill(count: () => number): Promise<number> {
  let last = count();
  for (let same = 0; same < 50; same += 1) {
    await new Promise((resolve) => setImmediate(resolve));
    if (count() !== last) same = 0;
    last = count();
  }
  return last;
}

const briefly = (items: readonly Record<string, unknown>[]): unknown[] =>
  items.map(({ index, id, code }) => [index, id ?? code]);

describe('lines', () => {
  const three = `${line('a')}\n${line('b')}\n${line('时区😀')}\n`;
  const expected = [
    [0, 'a'],
    [1, 'b'],
    [2, '时区😀'],
  ];

  it('are answered one by one, then counted', async () => {
    const answer = await send([three]);
    expect(answer.items[0]).toEqual({ index: 0, status: 'accepted', id: 'a', code: null, message: null });
    expect(briefly(answer.items)).toEqual(expected);
    expect(answer.counts).toEqual({ accepted: 3, duplicates: 0, rejected: 0 });
    expect(answer.groups).toEqual([['a', 'b', '时区😀']]);
  });

  it('after the most that may be stored have one answer with the index of the first, and are counted', async () => {
    const body = Readable.from([`${three}\n${three}not JSON`]);
    const stored: string[] = [];
    const capture = async (events: readonly HostEvent[]) => {
      stored.push(...events.map(contentOf));
      return events.map(accepted);
    };
    let text = '';
    for await (const piece of captureLines(body, null, capture, 4)) text += piece;
    const lines = text.split('\n').map((each) => (each === '' ? null : JSON.parse(each)));
    expect(stored).toEqual(['a', 'b', '时区😀', 'a']);
    expect(lines.slice(4)).toEqual([
      { index: 4, status: 'rejected', id: null, code: 'BODY_TOO_LARGE', message: expect.stringContaining('4 lines') },
      { accepted: 4, duplicates: 0, rejected: 3 },
      null,
    ]);
  });

  it('may be split anywhere, in the middle of a character too', async () => {
    const bytes = Buffer.from(three);
    for (let at = 1; at < bytes.length; at += 1)
      expect(briefly((await send([bytes.subarray(0, at), bytes.subarray(at)])).items)).toEqual(expected);
  });

  it('may come byte by byte', async () => {
    expect(briefly((await send(Array.from(Buffer.from(three), (byte) => Buffer.of(byte)))).items)).toEqual(expected);
  });

  it.each([
    ['the last one without its end', three.trimEnd()],
    ['CRLF', three.replaceAll('\n', '\r\n')],
    ['blank lines', `\n\n${three.replaceAll('\n', '\n \t\r\n\n')}\n`],
    ['blanks around', three.replaceAll(/^/gm, '  ').replaceAll('\n', '  \n')],
  ])('%s', async (_, text) => {
    const answer = await send([text]);
    expect(briefly(answer.items)).toEqual(expected);
    expect(answer.counts).toEqual({ accepted: 3, duplicates: 0, rejected: 0 });
  });

  it.each([
    ['nothing', ''],
    ['blank lines', '\n\r\n  \n'],
  ])('%s is answered by counts alone', async (_, text) => {
    expect(await send([text])).toEqual({ items: [], counts: { accepted: 0, duplicates: 0, rejected: 0 }, groups: [] });
  });
});

describe('a bad line', () => {
  it.each([
    ['invalid JSON', '{"type":', 'INVALID_JSON'],
    ['half a line', line('x').slice(0, 20), 'INVALID_JSON'],
    ['two values', `${line('x')} ${line('y')}`, 'INVALID_JSON'],
    ['an unknown type', '{"type":"coffee"}', 'UNKNOWN_EVENT_TYPE'],
    ['no object', '7', 'UNKNOWN_EVENT_TYPE'],
    ['a missing field', '{"type":"prompt","session_id":"s"}', 'VALIDATION_FAILED'],
    [
      'invalid UTF-8',
      Buffer.concat([
        Buffer.from('{"type":"prompt","session_id":"s","content":"'),
        Buffer.of(0xc3, 0x28),
        Buffer.from('"}'),
      ]),
      'INVALID_UTF8',
    ],
    [
      'half a character',
      Buffer.concat([Buffer.from('"'), Buffer.from('😀').subarray(0, 2), Buffer.from('"')]),
      'INVALID_UTF8',
    ],
    ['too much', line('x'.repeat(MIB)), 'EVENT_TOO_LARGE'],
  ])('%s spoils no neighbour', async (_, bad, code) => {
    const answer = await send([`${line('a')}\n`, bad, `\n${line('b')}`]);
    expect(briefly(answer.items)).toEqual([
      [0, 'a'],
      [1, code],
      [2, 'b'],
    ]);
    expect(answer.items[1]).toMatchObject({ status: 'rejected', id: null, message: expect.any(String) });
    expect(answer.counts).toEqual({ accepted: 2, duplicates: 0, rejected: 1 });
    expect(answer.groups).toEqual([['a', 'b']]);
  });

  it('is not repeated in its answer', async () => {
    const answer = await send([
      '{"type":"hunter2"}\n{hunter2\n{"type":"prompt","session_id":"s","role":"hunter2","content":"x"}',
    ]);
    expect(JSON.stringify(answer.items)).not.toContain('hunter2');
    expect(answer.counts).toMatchObject({ rejected: 3 });
  });

  it('over the limit is read without being buffered, at any length', async () => {
    const chunk = Buffer.alloc(MIB, 0x61);
    let most = 0;
    async function* endless(): AsyncGenerator<Buffer | string> {
      yield `${line('a')}\n`;
      for (let n = 0; n < 256; n += 1) {
        // Copies: buffered ones would add up.
        yield Buffer.from(chunk);
        if (n % 32 === 0) most = Math.max(most, process.memoryUsage().arrayBuffers);
      }
      yield `\n${line('b')}\n`;
    }
    const before = process.memoryUsage().arrayBuffers;
    const answer = await send(endless());
    expect(briefly(answer.items)).toEqual([
      [0, 'a'],
      [1, 'EVENT_TOO_LARGE'],
      [2, 'b'],
    ]);
    expect(most - before).toBeLessThan(200 * MIB);
  });
});

describe('storing', () => {
  const numbered = (count: number): string => Array.from({ length: count }, (_, n) => `${line(`e${n}`)}\n`).join('');

  it('goes by groups of five hundred', async () => {
    const answer = await send([numbered(1_050)]);
    expect(answer.groups.map((group) => group.length)).toEqual([500, 500, 50]);
    expect(answer.items.map(({ id }) => id)).toEqual(Array.from({ length: 1_050 }, (_, n) => `e${n}`));
    expect(answer.counts).toEqual({ accepted: 1_050, duplicates: 0, rejected: 0 });
  });

  it('goes by groups of four mebibytes', async () => {
    const big = `${line('x'.repeat(1_000_000))}\n`;
    expect((await send([big.repeat(12)])).groups.map((group) => group.length)).toEqual([5, 5, 2]);
  });

  it('is not called for bad lines', async () => {
    const answer = await send([`${'x\n'.repeat(201)}${line('a')}`]);
    expect(answer.groups.flat()).toEqual(['a']);
    expect(answer.counts).toEqual({ accepted: 1, duplicates: 0, rejected: 201 });
  });

  it('is waited for before more is read than one group', async () => {
    let read = 0;
    function* source(): Generator<string> {
      for (let n = 0; n < 5_000; n += 1) {
        read += 1;
        yield `${line(`e${n}`)}${' '.repeat(2_000)}\n`;
      }
    }
    const first = gate();
    let atOnce = 0;
    const sending = send(source(), async (events, call) => {
      atOnce += 1;
      expect(atOnce).toBe(1);
      if (call === 1) await first.opened;
      atOnce -= 1;
      return events.map(accepted);
    });
    // Reading stops while the first group is stored; then a second one waits, and a stream buffers a little.
    await untilTrue(async () => read >= 1_000);
    const readMeanwhile = await standsStill(() => read);
    expect(readMeanwhile).toBeLessThan(1_200);
    first.open();
    expect((await sending).counts).toEqual({ accepted: 5_000, duplicates: 0, rejected: 0 });
  });

  it('begins when the sender pauses, so that a slow one sees its answers', async () => {
    const { promise: answered, resolve } = Promise.withResolvers<void>();
    async function* slow(): AsyncGenerator<string> {
      yield `${line('a')}\n`;
      // Nothing more before the first line is answered.
      await answered;
      yield `${line('b')}\n${line('c')}`;
    }
    const lines: string[] = [];
    const body = Readable.from(slow(), { objectMode: false });
    for await (const text of captureLines(body, null, (events) => Promise.resolve(events.map(accepted)))) {
      lines.push(...text.trimEnd().split('\n'));
      resolve();
    }
    expect(lines.map((text) => JSON.parse(text).id ?? 'counts')).toEqual(['a', 'b', 'c', 'counts']);
  });

  it('stops when the results are not read, and reads no more of the body', async () => {
    let read = 0;
    let stored = 0;
    function* source(): Generator<string> {
      for (let n = 0; n < 20_000; n += 1) {
        read += 1;
        yield `${line(`e${n}`)}\n`;
      }
    }
    const body = Readable.from(source(), { objectMode: false });
    const answers = captureLines(body, null, (events) => {
      stored += events.length;
      return Promise.resolve(events.map(accepted));
    });
    await answers.next();
    const storedMeanwhile = await standsStill(() => stored);
    expect([read, storedMeanwhile].every((count) => count < 5_000)).toBe(true);
    // A reader that disconnects ends it.
    await answers.return(undefined);
    expect(body.destroyed).toBe(true);
  });

  it('of a body that breaks off is an error, after the complete lines were stored', async () => {
    async function* broken(): AsyncGenerator<string> {
      yield `${line('a')}\n`;
      await new Promise((resolve) => setImmediate(resolve));
      throw new Error('disconnected');
    }
    await expect(send(broken())).rejects.toThrow('disconnected');
  });

  it('answers duplicates, deleted sessions and refused events each as what they are', async () => {
    const answer = await send(
      [`${line('a')}\n${line('b')}\nbad\n${['c', 'd', 'e', 'f', 'g'].map(line).join('\n')}`],
      (events) =>
        Promise.resolve(
          events.map((event, n): CommitResult => {
            const result = accepted(event);
            if (!('rowId' in result)) return result;
            return (
              [
                result,
                { ...result, status: 'duplicate' as const },
                { ...result, status: 'rejected' as const, reason: 'deleted' as const },
                { ...result, status: 'rejected' as const, reason: 'capture_off' as const },
                { ...result, status: 'rejected' as const, reason: 'forgotten' as const },
                { status: 'refused' as const },
                { status: 'failed' as const, error: sqlError('57P01') },
              ][n] ?? result
            );
          }),
        ),
    );
    expect(answer.items.map(({ status, code }) => [status, code])).toEqual([
      ['accepted', null],
      ['duplicate', null],
      ['rejected', 'INVALID_JSON'],
      ['rejected', 'SESSION_DELETED'],
      ['rejected', 'CAPTURE_DISABLED'],
      ['rejected', 'EVENT_FORGOTTEN'],
      ['rejected', 'EVENT_NOT_STORABLE'],
      ['rejected', 'STORAGE_UNAVAILABLE'],
    ]);
    expect(answer.counts).toEqual({ accepted: 1, duplicates: 1, rejected: 6 });
  });

  it('that fails in the middle is reported event by event, and continues when the store is back', async () => {
    const answer = await send([`${numbered(550)}bad\n${numbered(550)}`], (events, call) => {
      if (call === 2) throw sqlError('ECONNREFUSED');
      return Promise.resolve(events.map(accepted));
    });
    const codes = answer.items.map(({ code }) => code);
    expect(codes.slice(0, 500).every((code) => code === null)).toBe(true);
    expect(codes.slice(500, 1_000).filter((code) => code === 'STORAGE_UNAVAILABLE')).toHaveLength(499);
    expect(codes[550]).toBe('INVALID_JSON');
    expect(codes.slice(1_000).every((code) => code === null)).toBe(true);
    expect(answer.counts).toEqual({ accepted: 601, duplicates: 0, rejected: 500 });
  });

  it('that fails unexpectedly reveals nothing of the error', async () => {
    const answer = await send([line('a')], () => Promise.reject(new Error('hunter2')));
    expect(answer.items).toMatchObject([{ status: 'rejected', code: 'INTERNAL' }]);
    expect(JSON.stringify(answer)).not.toContain('hunter2');
  });
});

describe('a delivery', () => {
  const keysOf = async (text: string, delivery: string | null): Promise<(string | null)[]> => {
    const keys: (string | null)[] = [];
    const capture = (events: readonly HostEvent[]) => {
      keys.push(...events.map((event) => event.key));
      return Promise.resolve(events.map(accepted));
    };
    await send([text], capture, delivery);
    return keys;
  };

  it('with a name gives each event without a key one by its place, bad lines counted', async () => {
    const own = JSON.stringify({ type: 'prompt', session_id: 's', content: 'c', key: 'own' });
    const text = `${line('a')}\nbad\n\n${line('b')}\n${own}\n${`${line('x')}\n`.repeat(600)}`;
    const keys = await keysOf(text, 'd1');
    expect(keys.slice(0, 4)).toEqual(['delivery:d1:0', 'delivery:d1:2', 'own', 'delivery:d1:4']);
    // Places go on from group to group.
    expect(keys.at(-1)).toBe('delivery:d1:603');
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('without a name leaves the content to decide', async () => {
    expect(await keysOf(line('a'), null)).toEqual([null]);
  });
});
