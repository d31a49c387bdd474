import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { captureAnswerSchema } from '../../../contract/events.ts';
import type { ApiAnswer } from '../../setup/instance.ts';
import { rowsOf } from '../../stores/postgres/support/captures.ts';
import { writingNothing } from '../support/answers.ts';
import { contractOf } from '../support/openapi.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { promptEvent } from '../support/events.ts';

const instance = fileInstance();

const NDJSON = { 'content-type': 'application/x-ndjson' };

const sessionId = (external: string): Promise<string | undefined> =>
  instance.value('SELECT id AS value FROM sessions WHERE external_id = $1', [external]);

const line = z.looseObject({
  index: z.number().optional(),
  status: z.string().optional(),
  code: z.string().nullish(),
  accepted: z.number().optional(),
});
function linesOf(answer: ApiAnswer): z.output<typeof line>[] {
  return String(answer.body)
    .trimEnd()
    .split('\n')
    .map((text) => line.parse(JSON.parse(text)));
}

describe('a batch as a JSON array', () => {
  test('stores what is good, refuses what is not, and answers each in the order sent', async () => {
    await instance.post('/events', promptEvent('deleted', 'first'));
    await instance.write("UPDATE sessions SET status = 'deleted' WHERE external_id = 'deleted'");
    const events = [
      promptEvent('mixed', 'one', { key: 'k1' }),
      { type: 'odd' },
      promptEvent('mixed', 'two'),
      promptEvent('mixed', 'one again', { key: 'k1' }),
      promptEvent('deleted', 'too late'),
      promptEvent('other', 'three', { importance: 7 }),
      null,
      promptEvent('mixed', 'four', { occurred_at: 'never' }),
      { type: 'turn.ended', host: 'test', session_id: 'mixed' },
    ];
    const answer = await instance.post('/events/batch', events);
    const { items, ...counts } = captureAnswerSchema.parse(answer.body);
    expect(answer.status).toBe(202);
    expect(counts).toEqual({ accepted: 4, duplicates: 1, rejected: 4 });
    expect(items.map((item) => [item.index, item.status, item.code])).toEqual([
      [0, 'accepted', null],
      [1, 'rejected', 'UNKNOWN_EVENT_TYPE'],
      [2, 'accepted', null],
      [3, 'duplicate', null],
      [4, 'rejected', 'SESSION_DELETED'],
      [5, 'accepted', null],
      [6, 'rejected', 'UNKNOWN_EVENT_TYPE'],
      [7, 'rejected', 'VALIDATION_FAILED'],
      [8, 'accepted', null],
    ]);
    expect(items[3]?.id).toBe(items[0]?.id);
    const stored = await rowsOf(instance, (await sessionId('mixed')) ?? '');
    expect(stored.map((row) => [row.seq, row.content, row.id])).toEqual([
      [1, 'one', items[0]?.id],
      [2, 'two', items[2]?.id],
      [3, 'turn_end', items[8]?.id],
    ]);
  });

  test('sent again is a complete duplicate', async () => {
    const events = Array.from({ length: 50 }, (_, index) => promptEvent('again', `${index}`, { key: `k${index}` }));
    expect((await instance.post('/events/batch', events)).body).toMatchObject({ accepted: 50, duplicates: 0 });
    const again = await writingNothing(instance, () => instance.post('/events/batch', events));
    expect(again.body).toMatchObject({ accepted: 0, duplicates: 50, rejected: 0 });
  });

  test('a single event is answered like a batch of one', async () => {
    const [first, second] = [
      await instance.post('/events', promptEvent('single', 'x')),
      await instance.post('/events', promptEvent('single', 'x')),
    ];
    expect(captureAnswerSchema.parse(first.body)).toMatchObject({
      accepted: 1,
      duplicates: 0,
      rejected: 0,
      items: [{ index: 0, status: 'accepted' }],
    });
    expect(captureAnswerSchema.parse(second.body)).toMatchObject({
      accepted: 0,
      duplicates: 1,
      rejected: 0,
      items: [{ status: 'duplicate', id: captureAnswerSchema.parse(first.body).items[0]?.id }],
    });
  });
});

describe('a batch as NDJSON', () => {
  const COUNT = 5_000;

  test('of 5,000 events is answered line by line in order, last with the counts, and all of it is stored', async () => {
    const raw = Array.from({ length: COUNT }, (_, index) =>
      JSON.stringify(
        index % 500 === 499
          ? { type: 'odd' }
          : promptEvent(`stream-${index % 7}`, `event ${index}`, { key: `k${index}` }),
      ),
    ).join('\n');
    const answer = await instance.call('POST', '/events/batch', { raw, headers: NDJSON });
    expect([answer.status, answer.headers.get('content-type')]).toEqual([202, 'application/x-ndjson']);
    const lines = linesOf(answer);
    expect(lines.length).toBe(COUNT + 1);
    expect(
      lines
        .slice(0, COUNT)
        .every(
          (item, index) => item.index === index && item.status === (index % 500 === 499 ? 'rejected' : 'accepted'),
        ),
    ).toBe(true);
    expect(lines.at(-1)).toEqual({ accepted: COUNT - 10, duplicates: 0, rejected: 10 });
    expect(await instance.count("prompts WHERE content LIKE 'event %'")).toBe(COUNT - 10);
    expect(
      await instance.value(
        "SELECT bool_and(last_seq = prompt_count) AS value FROM sessions WHERE external_id LIKE 'stream-%'",
      ),
    ).toBe(true);
    const again = linesOf(
      await writingNothing(instance, () => instance.call('POST', '/events/batch', { raw, headers: NDJSON })),
    );
    expect(again.at(-1)).toEqual({ accepted: 0, duplicates: COUNT - 10, rejected: 10 });
  }, 240_000);

  test('through a proxy stores the first 30,000 lines and names the first of the others', async () => {
    const last = JSON.stringify(promptEvent('forwarded', 'beyond the last line'));
    const answer = await instance.call('POST', '/events/batch', {
      raw: `${'{}\n'.repeat(30_000)}${last}\n${last}`,
      headers: { ...NDJSON, 'x-forwarded-for': '192.0.2.1' },
    });
    const lines = linesOf(answer);
    expect(lines.length).toBe(30_002);
    expect(lines.at(-2)).toMatchObject({ index: 30_000, status: 'rejected', code: 'BODY_TOO_LARGE' });
    expect(lines.at(-1)).toEqual({ accepted: 0, duplicates: 0, rejected: 30_002 });
    expect(await instance.count("sessions WHERE external_id = 'forwarded'")).toBe(0);
  });

  test('conforms to the document', async () => {
    const answer = await instance.call('POST', '/events/batch', {
      raw: JSON.stringify(promptEvent('documented', 'x')),
      headers: NDJSON,
    });
    expect((await contractOf(instance)).check('post /api/v1/events/batch', answer).faults).toEqual([]);
  });

  test('with lines that are no events names each, and takes the others', async () => {
    const good = JSON.stringify(promptEvent('lines', 'good'));
    const bytes = [
      good,
      '',
      '   ',
      '{broken',
      '\r',
      `${JSON.stringify(promptEvent('lines', 'with a carriage return'))}\r`,
      '[]',
      JSON.stringify(promptEvent('lines', 'last, without a line feed')),
    ].join('\n');
    const odd = Buffer.concat([Buffer.from(`${bytes}\n`), Buffer.from([0x22, 0xff, 0x22])]);
    const answer = linesOf(await instance.call('POST', '/events/batch', { raw: new Uint8Array(odd), headers: NDJSON }));
    expect(answer.map((item) => [item.index, item.status, item.code])).toEqual([
      [0, 'accepted', null],
      [1, 'rejected', 'INVALID_JSON'],
      [2, 'accepted', null],
      [3, 'rejected', 'UNKNOWN_EVENT_TYPE'],
      [4, 'accepted', null],
      [5, 'rejected', 'INVALID_UTF8'],
      [undefined, undefined, undefined],
    ]);
    expect(answer.at(-1)).toEqual({ accepted: 3, duplicates: 0, rejected: 3 });
  });

  test('of nothing is answered with counts alone', async () => {
    expect(linesOf(await instance.call('POST', '/events/batch', { raw: '\n\n', headers: NDJSON }))).toEqual([
      { accepted: 0, duplicates: 0, rejected: 0 },
    ]);
  });

  test('is answered while it is still being sent', async () => {
    const first = Promise.withResolvers<void>();
    const body = new ReadableStream<Uint8Array>({
      async start(controller) {
        const encoder = new TextEncoder();
        // Events are stored when the sender pauses: their answers come though the body has no end yet.
        for (let index = 0; index < 200; index += 1)
          controller.enqueue(
            encoder.encode(`${JSON.stringify(promptEvent('live', `live ${index}`, { key: `k${index}` }))}\n`),
          );
        await first.promise;
        controller.enqueue(encoder.encode(JSON.stringify(promptEvent('live', 'the last'))));
        controller.close();
      },
    });
    const response = await fetch(`${instance.url}/api/v1/events/batch`, {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { ...NDJSON, authorization: `Bearer ${instance.admin.key}` },
    });
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    let text = '';
    const more = async () => {
      const next = await reader?.read();
      text += next?.value ?? '';
      return next?.done === false;
    };
    // A busy sender pauses between events, too: they come in several groups then.
    while (!text.includes('"index":199,"status":"accepted"') && (await more()));
    expect(text).toMatch(/^\{"index":0,"status":"accepted"/);
    expect(text).not.toContain('"duplicates"');
    expect(await instance.value("SELECT last_seq AS value FROM sessions WHERE external_id = 'live'")).toBe(200);
    first.resolve();
    while (await more());
    expect(text).toContain('{"accepted":201,"duplicates":0,"rejected":0}');
  });
});
