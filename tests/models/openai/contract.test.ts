import { afterEach, describe, expect, test } from 'vitest';
import { createOpenAiModel } from '../../../models/openai/model.ts';
import type { OpenAiModelOptions } from '../../../models/openai/model.ts';
import {
  countTokens,
  failure,
  LARGE,
  live,
  outputOf,
  SECRET_WORD,
  sendCall,
  SMALL,
  topic,
  window,
} from '../claude/claude-fixture.ts';
import { startCompletionsServer } from './completions-server.ts';
import type { CompletionsServer, CompletionsServerOptions, Played } from './completions-server.ts';
import { DIALECTS, faultOf } from './dialects.ts';
import type { Dialect, FaultKind } from './dialects.ts';

let server: CompletionsServer | undefined;
afterEach(() => server?.close());

async function started(options: CompletionsServerOptions): Promise<CompletionsServer> {
  server = await startCompletionsServer(options);
  return server;
}

function modelAt({ url }: CompletionsServer, changes: Partial<OpenAiModelOptions> = {}) {
  return createOpenAiModel({
    baseUrl: url,
    apiKey: 'test-key',
    small: SMALL,
    large: LARGE,
    smallWindowTokens: 4_000,
    timeoutMs: 60_000,
    limitField: 'max_tokens',
    temperature: 0,
    maxOutputTokens: 1_500,
    requestTokens: 8_000,
    countTokens,
    now: Date.now,
    ...changes,
  });
}

const windowAt = (at: CompletionsServer, changes: Partial<OpenAiModelOptions> = {}) =>
  sendCall(modelAt(at, changes).prepareWindow(window, live()));

/** Faults of every dialect, with the kind of error that they are. */
const FAULTS: readonly (readonly [FaultKind, string])[] = [
  ['wrong-key', 'unauthorised'],
  ['rate-limit', 'rate_limited'],
  ['overloaded', 'overloaded'],
  ['context', 'invalid_request'],
  ['no-model', 'unauthorised'],
  ['no-quota', 'unauthorised'],
  ['bad-request', 'invalid_request'],
];

describe.each(DIALECTS)('a server with the dialect %s', (dialect: Dialect) => {
  test('answers in the schema, and its counts or our own are recorded', async () => {
    const at = await started({ dialect, apiKey: 'test-key' });
    at.script({ kind: 'answer', answer: topic });
    const call = await modelAt(at).prepareWindow(window, live());
    const { reading, usage } = await call.send(live());
    expect(outputOf({ reading }).keyPoints[0]?.evidence[0]?.rowId).toBe('uuid-2');
    expect(usage).toMatchObject({ provider: 'openai', batch: false, model: LARGE.name });
    expect(usage.outputTokens).toBe(countTokens(JSON.stringify(topic)));
    expect(usage.inputTokens).toBeGreaterThan(0.8 * call.inputTokens);
    expect(usage.inputTokens).toBeLessThanOrEqual(call.inputTokens);
    expect(usage.tokensCached > 0).toBe(dialect === 'openai' || dialect === 'openrouter');
    expect(usage.costUsd).toBeGreaterThan(0);
    expect(usage.costUsd).toBeLessThanOrEqual(call.maxUsd);
  });

  test.each(FAULTS)('reports %s as %s, without the text of the request', async (fault, kind) => {
    const at = await started({ dialect });
    at.script({ kind: 'fault', fault, quoted: SECRET_WORD });
    const error = await failure(windowAt(at));
    expect(error).toMatchObject({ kind, usage: [], retryAfterMs: fault === 'rate-limit' ? 7_000 : undefined });
    expect(error.message).not.toContain(SECRET_WORD);
    // One request: the caller retries.
    expect(at.requests).toHaveLength(1);
  });

  test('rejects a key that it does not know', async () => {
    const at = await started({ dialect, apiKey: 'another' });
    expect(await failure(windowAt(at))).toMatchObject({ kind: 'unauthorised' });
    expect(at.answered()).toBe(0);
  });

  test.each<readonly [string, Played, string]>([
    ['a truncated answer', { kind: 'answer', answer: '{"title": "T', finish: 'length' }, 'truncated'],
    ['a filtered answer', { kind: 'answer', answer: '', finish: 'content_filter' }, 'refused'],
    ['a refusal', { kind: 'answer', answer: '', refusal: 'No.' }, 'refused'],
    ['another shape', { kind: 'answer', answer: { learned: SECRET_WORD } }, 'invalid_output'],
    ['prose', { kind: 'answer', answer: `The ${SECRET_WORD} is broken` }, 'invalid_output'],
  ])('reads %s with its cost, and repairs it once', async (_, reply, kind) => {
    const at = await started({ dialect });
    at.script(reply, { kind: 'answer', answer: topic });
    const call = await modelAt(at).prepareWindow(window, live());
    const { text, reading, usage } = await call.send(live());
    if (reading.ok) throw new Error('the response was accepted');
    expect(reading.kind).toBe(kind);
    expect(reading.where).not.toContain(SECRET_WORD);
    expect(usage.inputTokens).toBeGreaterThan(4_000);
    const repair = await call.repair(text, reading.problem, live());
    expect(outputOf(await repair.send(live())).content).toBe('C');
    expect(at.requests).toHaveLength(2);
  });

  test.each([
    ['a code fence', `\`\`\`json\n${JSON.stringify(topic)}\n\`\`\``],
    ['thoughts', `<think>\nThe ${SECRET_WORD}…\n</think>\n${JSON.stringify(topic)}`],
  ])('reads an answer in or after %s', async (_, answer) => {
    const at = await started({ dialect });
    at.script({ kind: 'answer', answer });
    expect(outputOf(await windowAt(at)).content).toBe('C');
  });

  test('that is silent times out; one that closes the connection or sends another body is unavailable', async () => {
    const at = await started({ dialect });
    // Not by the script: on a busy machine a request may time out before the server has read it.
    at.down({ kind: 'silence' });
    expect(await failure(windowAt(at, { timeoutMs: 200 }))).toMatchObject({ kind: 'timeout' });
    at.down(null);
    at.script({ kind: 'reset' });
    expect(await failure(windowAt(at))).toMatchObject({ kind: 'unavailable' });
    for (const body of ['<html>', '{"choices": []}', '[]']) {
      at.script({ kind: 'raw', response: { status: 200, body } });
      expect(await failure(windowAt(at))).toMatchObject({ kind: 'unavailable' });
    }
  });
});

test('a response beyond 4 MiB is not read', async () => {
  const at = await started({ dialect: 'vllm' });
  at.script({ kind: 'raw', response: { status: 200, body: `"${'x'.repeat(5_000_000)}"` } });
  expect(await failure(windowAt(at))).toMatchObject({
    kind: 'unavailable',
    message: 'The model provider sent a response that is too long',
  });
});

test('a prompt that the server truncated is reported with its cost, and no answer of it is used', async () => {
  const at = await started({ dialect: 'ollama', contextTokens: 2_048 });
  const error = await failure(windowAt(at));
  expect(error).toMatchObject({
    kind: 'invalid_request',
    message: expect.stringMatching(/^The model provider read 2048 of about \d{4} tokens: it truncated the prompt/u),
    usage: [{ provider: 'openai', inputTokens: 2_048 }],
  });
  // Vocabularies differ: nine tenths of our count are no truncation.
  const other = await started({
    dialect: 'ollama',
    contextTokens: Math.ceil(Number(/about (\d+)/u.exec(error.message)?.[1]) * 0.9),
  });
  expect((await windowAt(other)).reading.ok).toBe(true);
  await other.close();
});

test('an error of a context that is too long is one of the request, whatever its status', async () => {
  const at = await started({ dialect: 'lm-studio' });
  const body = { error: 'The number of tokens to keep from the initial prompt is greater than the context length' };
  at.script({ kind: 'raw', response: { status: 500, body } });
  expect(await failure(windowAt(at))).toMatchObject({ kind: 'invalid_request' });
  at.script({ kind: 'raw', response: { status: 500, body: { error: 'Model crashed' } } });
  expect(await failure(windowAt(at))).toMatchObject({ kind: 'unavailable' });
});

test.each<readonly [string, number, unknown, string]>([
  ['a wrong key without a reason', 400, { error: { message: 'API key not valid. Please pass one.' } }, 'unauthorised'],
  [
    'an unknown key',
    400,
    [{ error: { code: 400, message: 'API Key not found.', status: 'INVALID_ARGUMENT' } }],
    'unauthorised',
  ],
  ['a missing key', 400, { error: { message: 'Missing or invalid Authorization header.' } }, 'unauthorised'],
  ['a request that speaks of a key', 400, { error: { message: 'bad text: API key not valid' } }, 'invalid_request'],
  [
    'details of another form',
    400,
    { error: { message: 'no', details: ['x'], code: 'invalid_api_key' } },
    'unauthorised',
  ],
  [
    'a field that the model does not have',
    400,
    { error: { message: 'max_tokens', code: 'unsupported_parameter' } },
    'unauthorised',
  ],
  [
    'a temperature that the model does not have',
    400,
    { error: { message: '0', code: 'unsupported_value' } },
    'unauthorised',
  ],
  ['an address that takes no requests', 405, 'Method Not Allowed', 'unauthorised'],
  ['a conflict', 409, {}, 'unavailable'],
  ['a server that is not ready', 425, {}, 'unavailable'],
])('%s is reported as what corrects it', async (_, status, body, kind) => {
  const at = await started({ dialect: 'openai' });
  at.script({ kind: 'raw', response: { status, body } });
  expect(await failure(windowAt(at))).toMatchObject({ kind, usage: [] });
});

test.each([
  ['a finish reason', { finish_reason: 'error' }],
  ['an error of the choice', { finish_reason: 'stop', error: { code: 502, message: SECRET_WORD } }],
])('a response that the server could not complete, by %s, is not used; its cost is reported', async (_, fault) => {
  const at = await started({ dialect: 'openrouter' });
  const choice = { index: 0, message: { role: 'assistant', content: JSON.stringify(topic) }, ...fault };
  const usage = { prompt_tokens: 5_000, completion_tokens: 40 };
  at.script({ kind: 'raw', response: { status: 200, body: { choices: [choice], usage } } });
  const error = await failure(windowAt(at));
  expect(error).toMatchObject({
    kind: 'unavailable',
    usage: [{ provider: 'openai', inputTokens: 5_000, outputTokens: 40 }],
  });
  expect(error.message).not.toContain(SECRET_WORD);
});

test('the field of the output limit and the temperature are settings', async () => {
  const at = await started({ dialect: 'openai' });
  await windowAt(at, { limitField: 'max_completion_tokens', temperature: null });
  await windowAt(at);
  const [first, second] = at.requests;
  expect(first).toMatchObject({ max_completion_tokens: 1_500 });
  expect(Object.keys(first ?? {})).toEqual(['model', 'messages', 'max_completion_tokens', 'response_format']);
  expect(second).toMatchObject({ max_tokens: 1_500, temperature: 0 });
});

test('without a key no header is sent; an aborted request is not sent, and one that is under way ends', async () => {
  const at = await started({ dialect: 'ollama' });
  await windowAt(at, { apiKey: undefined });
  const call = await modelAt(at).prepareWindow(window, live());
  await expect(call.send(AbortSignal.abort(new Error('stop')))).rejects.toThrow('stop');
  at.script({ kind: 'silence' });
  const cancel = new AbortController();
  const sent = call.send(cancel.signal);
  const ended = Promise.allSettled([sent]);
  await expect.poll(() => at.requests).toHaveLength(2);
  cancel.abort(new Error('stop now'));
  expect(await ended).toMatchObject([{ status: 'rejected', reason: { message: 'stop now' } }]);
  expect(at.requests).toHaveLength(2);
});

test('an address without a server is unavailable, with the code of the network', async () => {
  const at = await started({ dialect: 'vllm' });
  await at.close();
  expect(await failure(windowAt(at))).toMatchObject({
    kind: 'unavailable',
    message: expect.stringContaining('ECONNREFUSED'),
  });
});

test('session summaries and learnings have schemas that every dialect accepts', async () => {
  const at = await started({ dialect: 'gemini' });
  const session = { projectName: 'demo', glossary: [], topics: [], items: [], prompts: window.rows };
  expect((await sendCall(modelAt(at).prepareSession(session, live()))).reading.ok).toBe(true);
  const learnings = { ...session, rows: window.rows, known: [] };
  expect((await sendCall(modelAt(at).prepareLearnings(learnings, live()))).reading.ok).toBe(true);
});

test('the dialects report faults in ways of their own', () => {
  expect(new Set(DIALECTS.map((dialect) => JSON.stringify(faultOf(dialect, 'wrong-key', '')))).size).toBe(6);
});
