import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { countTokens } from './claude-fixture.ts';
import { type MessagesServer, startMessagesServer } from './messages-server.ts';

const START = Date.parse('2026-03-02T09:00:00Z');
let now = START;
let server: MessagesServer;
beforeEach(async () => {
  now = START;
  server = await startMessagesServer({ now: () => now });
});
afterEach(() => server.close());

const block = { type: 'text', text: 'x', cache_control: { type: 'ephemeral' } };
const valid = { model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'hello' }] };
const headers = {
  authorization: 'Bearer test-key',
  'anthropic-version': '2026-10-21',
  'content-type': 'application/json',
};

async function call(
  path: string,
  body?: unknown,
  changes: Readonly<Record<string, string>> = {},
): Promise<{ readonly status: number; readonly text: string }> {
  const response = await fetch(`${server.url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...headers, ...changes },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, text: await response.text() };
}

async function status(body: unknown, changes: Readonly<Record<string, string>> = {}, path = '/v1/messages') {
  return (await call(path, body, changes)).status;
}

const usageShape = z.object({
  usage: z.object({
    input_tokens: z.number(),
    output_tokens: z.number(),
    cache_creation_input_tokens: z.number(),
    cache_read_input_tokens: z.number(),
  }),
  stop_reason: z.string(),
});

async function message(body: unknown) {
  return usageShape.parse(JSON.parse((await call('/v1/messages', body)).text));
}

const schema = (node: unknown): unknown => ({
  ...valid,
  output_config: { format: { type: 'json_schema', schema: node } },
});

it.each<readonly [string, number, () => Promise<number>]>([
  ['a good request', 200, () => status(valid)],
  ['four breakpoints', 200, () => status({ ...valid, system: [block, block, block, block] })],
  [
    'five breakpoints',
    400,
    () => status({ ...valid, system: [block, block, block], messages: [{ role: 'user', content: [block, block] }] }),
  ],
  ['no model', 400, () => status({ ...valid, model: undefined })],
  ['no max_tokens', 400, () => status({ ...valid, max_tokens: undefined })],
  ['max_tokens of 0', 400, () => status({ ...valid, max_tokens: 0 })],
  ['an unknown field', 400, () => status({ ...valid, temprature: 1 })],
  [
    'an unknown kind of cache',
    400,
    () => status({ ...valid, system: [{ ...block, cache_control: { type: 'forever' } }] }),
  ],
  ['no messages', 400, () => status({ ...valid, messages: [] })],
  ['empty text', 400, () => status({ ...valid, messages: [{ role: 'user', content: '' }] })],
  ['the assistant first', 400, () => status({ ...valid, messages: [{ role: 'assistant', content: 'x' }] })],
  ['a wrong key', 401, () => status(valid, { authorization: 'Bearer wrong' })],
  [
    'the older version with its header',
    200,
    () => status(valid, { 'anthropic-version': '2023-06-01', 'x-api-key': 'test-key' }),
  ],
  ['the older version without it', 401, () => status(valid, { 'anthropic-version': '2023-06-01' })],
  ['another version', 400, () => status(valid, { 'anthropic-version': '1999' })],
  ['another address', 404, () => status(valid, {}, '/v1/complete')],
  [
    'a closed schema',
    200,
    () =>
      status(
        schema({ type: 'object', properties: { a: { type: 'string' } }, required: ['a'], additionalProperties: false }),
      ),
  ],
  ['an open schema', 400, () => status(schema({ type: 'object', properties: {}, required: [] }))],
  [
    'an optional property',
    400,
    () =>
      status(
        schema({ type: 'object', properties: { a: { type: 'string' } }, required: [], additionalProperties: false }),
      ),
  ],
  ['a length in the schema', 400, () => status(schema({ type: 'string', maxLength: 3 }))],
  ['a count', 200, () => status({ ...valid, max_tokens: undefined }, {}, '/v1/messages/count_tokens')],
  ['a count with max_tokens', 400, () => status(valid, {}, '/v1/messages/count_tokens')],
  ['a batch', 200, () => status({ requests: [{ custom_id: 'a', params: valid }] }, {}, '/v1/messages/batches')],
  ['an empty batch', 400, () => status({ requests: [] }, {}, '/v1/messages/batches')],
  [
    'a bad id in a batch',
    400,
    () => status({ requests: [{ custom_id: 'a b', params: valid }] }, {}, '/v1/messages/batches'),
  ],
  [
    'an id twice in a batch',
    400,
    () => {
      const part = { custom_id: 'a', params: valid };
      return status({ requests: [part, part] }, {}, '/v1/messages/batches');
    },
  ],
  ['a batch that is none', 404, async () => (await call('/v1/messages/batches/msgbatch_none')).status],
])('%s gets %i', async (_, expected, run) => {
  server.otherwise(() => ({ kind: 'message', answer: 'hi' }));
  expect(await run()).toBe(expected);
});

it('reports the end of its script', async () => {
  server.script({ kind: 'message', answer: 'only once' });
  expect([await status(valid), await status(valid)]).toEqual([200, 500]);
});

it('bills the counted tokens, and truncates a response at its limit', async () => {
  server.script({ kind: 'message', answer: 'one two three four five six seven eight nine ten eleven twelve' });
  const { max_tokens: _, ...counted } = valid;
  const before = z
    .object({ input_tokens: z.number() })
    .parse(JSON.parse((await call('/v1/messages/count_tokens', counted)).text));
  const { usage, stop_reason: reason } = await message(valid);
  expect(usage.input_tokens).toBe(before.input_tokens);
  expect(usage.output_tokens).toBe(valid.max_tokens);
  expect(reason).toBe('max_tokens');
});

describe('the prompt cache', () => {
  const long = (tokens: number) => ' hello'.repeat(tokens);
  const withSystem = (text: string, model: string, user = 'hi') => ({
    model,
    max_tokens: 50,
    system: [{ ...block, text }],
    messages: [{ role: 'user', content: user }],
  });
  beforeEach(() => {
    server.otherwise(() => ({ kind: 'message', answer: 'ok' }));
  });

  it.each([
    ['claude-sonnet-4-5', 1_000, false],
    ['claude-sonnet-4-5', 1_024, true],
    ['claude-haiku-4-5', 4_000, false],
    ['claude-haiku-4-5', 4_096, true],
  ])('of %s and %i tokens: %s', async (model, tokens, cached) => {
    const text = long(tokens);
    const first = (await message(withSystem(text, model))).usage;
    const second = (await message(withSystem(text, model, 'another'))).usage;
    expect(countTokens(text)).toBe(tokens);
    expect(first.cache_read_input_tokens).toBe(0);
    expect(first.cache_creation_input_tokens > 0).toBe(cached);
    expect(second.cache_read_input_tokens).toBe(first.cache_creation_input_tokens);
    expect(second.cache_creation_input_tokens).toBe(0);
  });

  it('caches exact prefixes by model for five minutes after their last use', async () => {
    const text = long(2_000);
    const read = async (body: unknown) => (await message(body)).usage.cache_read_input_tokens;
    expect(await read(withSystem(text, 'sonnet'))).toBe(0);
    expect(await read(withSystem(text, 'opus'))).toBe(0);
    expect(await read(withSystem(`${text} `, 'sonnet'))).toBe(0);
    expect(await read(withSystem(text, 'sonnet'))).toBeGreaterThan(2_000);
    now += 299_999;
    expect(await read(withSystem(text, 'sonnet'))).toBeGreaterThan(2_000);
    now += 300_000;
    expect(await read(withSystem(text, 'sonnet'))).toBe(0);
  });

  it('bills writes at a quarter more, reads at a tenth', async () => {
    const body = withSystem(long(2_000), 'sonnet');
    const first = (await message(body)).usage;
    const afterFirst = server.bill();
    await message(body);
    const afterSecond = server.bill() - afterFirst;
    const rest = (first.input_tokens * 3 + first.output_tokens * 15) / 1e6;
    expect(afterFirst).toBeCloseTo(rest + (first.cache_creation_input_tokens * 3.75) / 1e6, 12);
    expect(afterSecond).toBeCloseTo(rest + (first.cache_creation_input_tokens * 0.3) / 1e6, 12);
  });
});

it('lists batches newest first, in pages', async () => {
  for (const id of ['a', 'b', 'c']) {
    await call('/v1/messages/batches', { requests: [{ custom_id: id, params: valid }] });
    now += 1_000;
  }
  const shape = z.object({ data: z.array(z.object({ id: z.string() })), has_more: z.boolean(), last_id: z.string() });
  const first = shape.parse(JSON.parse((await call('/v1/messages/batches?limit=2')).text));
  expect(first).toMatchObject({ has_more: true, data: [{ id: 'msgbatch_0003' }, { id: 'msgbatch_0002' }] });
  const rest = shape.parse(JSON.parse((await call(`/v1/messages/batches?limit=2&after_id=${first.last_id}`)).text));
  expect(rest).toMatchObject({ has_more: false, data: [{ id: 'msgbatch_0001' }] });
});
