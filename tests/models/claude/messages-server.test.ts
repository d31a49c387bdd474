import { afterEach, beforeEach, expect, it } from 'vitest';
import { type MessagesServer, startMessagesServer } from './messages-server.ts';

let server: MessagesServer;
beforeEach(async () => {
  server = await startMessagesServer();
});
afterEach(() => server.close());

const block = { type: 'text', text: 'x', cache_control: { type: 'ephemeral' } };
const valid = { model: 'm', max_tokens: 10, messages: [{ role: 'user', content: 'hello' }] };
const headers = {
  authorization: 'Bearer test-key',
  'anthropic-version': '2026-10-21',
  'content-type': 'application/json',
};

async function status(
  body: unknown,
  changes: Readonly<Record<string, string>> = {},
  path = '/v1/messages',
): Promise<number> {
  const response = await fetch(`${server.url}${path}`, {
    method: 'POST',
    headers: { ...headers, ...changes },
    body: JSON.stringify(body),
  });
  await response.text();
  return response.status;
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
])('%s gets %i', async (_, expected, run) => {
  server.otherwise(() => ({ kind: 'message', answer: 'hi' }));
  expect(await run()).toBe(expected);
});

it('says so when its script is used up', async () => {
  server.script({ kind: 'message', answer: 'only once' });
  expect([await status(valid), await status(valid)]).toEqual([200, 500]);
});
