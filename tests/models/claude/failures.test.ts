import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ModelError } from '../../../domain/ports/model.ts';
import { sendCall, failure, live, modelAt, outputOf, SECRET_WORD, topic, window } from './claude-fixture.ts';
import { isRepair, type MessagesServer, type Reply, startMessagesServer, userTextOf } from './messages-server.ts';

let server: MessagesServer;
beforeEach(async () => {
  server = await startMessagesServer();
});
afterEach(() => server.close());

const window1 = (changes: Parameters<typeof modelAt>[1] = {}) =>
  sendCall(modelAt(server, changes).prepareWindow(window, live()));

describe('unusable responses', () => {
  const wrong = { ...topic, items: [{ ...topic.items[0], kind: 'poem' }] };

  it('are repaired once, with the response and the problem as data', async () => {
    server.script({ kind: 'message', answer: wrong }, { kind: 'message', answer: topic });
    const call = await modelAt(server).prepareWindow(window, live());
    const { text, reading } = await call.send(live());
    if (reading.ok) throw new Error('the response was accepted');
    expect(reading).toMatchObject({ kind: 'invalid_output', where: 'items.0.kind invalid_value' });
    const again = await call.repair(text, reading.problem, live());
    expect(outputOf(await again.send(live())).content).toBe('C');
    const [first, second] = server.requests;
    expect(server.requests.map(isRepair)).toEqual([false, true]);
    expect(second?.system).toEqual(first?.system);
    expect(second?.messages).toHaveLength(1);
    const shown = second === undefined ? '' : userTextOf(second);
    const mark = /^\[(\d{6}) /u.exec(shown)?.[1];
    expect(shown).toContain(`[${String(mark)} unusable answer]\n{"title"`);
    expect(shown).toContain(`[${String(mark)} problem]\nitems.0.kind:`);
    expect(again.inputTokens + again.maxTokensOut).toBeLessThanOrEqual(8_000);
  });

  it.each<readonly [string, unknown]>([
    ['prose', `The ${SECRET_WORD} is broken`],
    ['nothing', ' '],
    ['another shape', { learned: SECRET_WORD }],
    ['extra fields', { ...topic, [SECRET_WORD]: 1 }],
  ])('rejects %s without its content in "where"', async (_, answer) => {
    server.script({ kind: 'message', answer });
    const { reading, usage } = await window1();
    if (reading.ok) throw new Error('the response was accepted');
    expect(reading.kind).toBe('invalid_output');
    expect(reading.where).not.toContain(SECRET_WORD);
    expect(usage.inputTokens).toBeGreaterThan(4_000);
  });

  it('in a code fence are read', async () => {
    server.script({ kind: 'message', answer: `\`\`\`json\n${JSON.stringify(topic)}\n\`\`\`` });
    expect(outputOf(await window1()).content).toBe('C');
  });

  it.each([
    ['max_tokens', 'truncated', 'half as many words'],
    ['model_context_window_exceeded', 'truncated', 'half as many words'],
    ['refusal', 'refused', 'a record of work that was done'],
  ])('reads stop reason %s as %s, with its cost; the repair states the remedy', async (stopReason, kind, remedy) => {
    server.script({ kind: 'message', answer: '{"title": "cut', stopReason });
    const call = await modelAt(server).prepareWindow(window, live());
    const { reading, usage, text } = await call.send(live());
    expect(reading).toMatchObject({ ok: false, kind });
    expect(usage.outputTokens).toBeGreaterThan(0);
    const problem = reading.ok ? '' : reading.problem;
    const again = await call.repair(text, problem, live());
    expect(again.requestText).toContain(remedy);
    // A batch returns only how a response stopped.
    expect((await call.repair(text, kind, live())).requestText).toContain(remedy);
  });

  it('that fill the bound are cut off by the provider', async () => {
    server.script({ kind: 'message', answer: { ...topic, content: 'word '.repeat(2_000) } });
    const { reading, usage } = await window1();
    expect(reading).toMatchObject({ ok: false, kind: 'truncated' });
    expect(usage.outputTokens).toBe(1_500);
  });
});

const provider = (status: number, type: string, headers: Record<string, string> = {}): Reply => ({
  kind: 'error',
  status,
  type,
  headers,
  message: `echo: ${SECRET_WORD}`,
});

describe('failures of the provider', () => {
  it.each<readonly [string, Reply, Partial<ModelError>]>([
    ['429', provider(429, 'rate_limit_error', { 'retry-after': '7' }), { kind: 'rate_limited', retryAfterMs: 7000 }],
    [
      '429 in ms',
      provider(429, 'rate_limit_error', { 'retry-after-ms': '1500', 'retry-after': '9' }),
      { kind: 'rate_limited', retryAfterMs: 1500 },
    ],
    [
      '429 with a date',
      provider(429, 'rate_limit_error', { 'retry-after': 'Mon, 02 Mar 2026 09:01:00 GMT' }),
      { kind: 'rate_limited', retryAfterMs: 60_000 },
    ],
    [
      '429 with a past date',
      provider(429, 'rate_limit_error', { 'retry-after': 'Mon, 02 Mar 2026 08:00:00 GMT' }),
      { kind: 'rate_limited', retryAfterMs: 0 },
    ],
    [
      '429 with nonsense',
      provider(429, 'rate_limit_error', { 'retry-after': 'soon' }),
      { kind: 'rate_limited', retryAfterMs: undefined },
    ],
    ['529', provider(529, 'overloaded_error'), { kind: 'overloaded', retryAfterMs: undefined }],
    ['503', provider(503, 'overloaded_error'), { kind: 'overloaded' }],
    ['500', provider(500, 'api_error'), { kind: 'unavailable' }],
    ['502', provider(502, 'api_error'), { kind: 'unavailable' }],
    ['408', provider(408, 'timeout_error'), { kind: 'timeout' }],
    ['401', provider(401, 'authentication_error'), { kind: 'unauthorised' }],
    ['402', provider(402, 'billing_error'), { kind: 'unauthorised' }],
    ['403', provider(403, 'permission_error'), { kind: 'unauthorised' }],
    ['400', provider(400, 'invalid_request_error'), { kind: 'invalid_request' }],
    [
      '400 about the account',
      {
        kind: 'error',
        status: 400,
        type: 'invalid_request_error',
        message: `Your credit balance is too low. ${SECRET_WORD}`,
      },
      { kind: 'unauthorised' },
    ],
    ['404: a model that is not known', provider(404, 'not_found_error'), { kind: 'unauthorised' }],
    ['413', provider(413, 'request_too_large'), { kind: 'invalid_request' }],
    ['422', provider(422, 'invalid_request_error'), { kind: 'invalid_request' }],
    ['a body that is no JSON', { kind: 'raw', body: `{"content": ${SECRET_WORD}` }, { kind: 'unavailable' }],
    ['a body that is no message', { kind: 'raw', body: `{"hello": "${SECRET_WORD}"}` }, { kind: 'unavailable' }],
    ['a connection that is cut', { kind: 'hang-up' }, { kind: 'unavailable' }],
  ])('%s', async (_, reply, expected) => {
    server.script(reply);
    const error = await failure(window1());
    expect({ kind: error.kind, retryAfterMs: error.retryAfterMs }).toMatchObject(expected);
    expect(error.usage).toEqual([]);
    expect(JSON.stringify([error.message, error.cause ?? null])).not.toContain(SECRET_WORD);
    // The client must not retry by itself: that is the workflow's decision.
    expect(server.requests).toHaveLength(1);
  });

  it.each<readonly [string, Reply]>([
    ['no answer', { kind: 'silence' }],
    ['a body that never ends', { kind: 'stall' }],
  ])('%s is a timeout', async (_, reply) => {
    server.script(reply);
    expect((await failure(window1({ timeoutMs: 150 }))).kind).toBe('timeout');
  });

  it('reports an unreachable server as unavailable, with its code', async () => {
    await server.close();
    const error = await failure(window1());
    expect(error.kind).toBe('unavailable');
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('a wrong key is unauthorised', async () => {
    expect((await failure(window1({ apiKey: 'other' }))).kind).toBe('unauthorised');
  });

  it.each<readonly [string, Parameters<MessagesServer['fault']>[1], string]>([
    ['refused', { kind: 'error', status: 429, type: 'rate_limit_error' }, 'rate_limited'],
    ['cut', { kind: 'hang-up' }, 'unavailable'],
    ['no number', { kind: 'raw', body: '{"input_tokens": "many"}' }, 'unavailable'],
  ])('fails before sending if counting is %s', async (_, reply, kind) => {
    server.fault('count', reply);
    expect((await failure(window1())).kind).toBe(kind);
    expect(server.requests).toHaveLength(0);
    server.script({ kind: 'message', answer: topic });
    expect(outputOf(await window1()).content).toBe('C');
  });

  it('a provider that is down fails every call until it is back', async () => {
    server.down({ kind: 'error', status: 529, type: 'overloaded_error' });
    const model = modelAt(server);
    expect((await failure(sendCall(model.prepareWindow(window, live())))).kind).toBe('overloaded');
    expect((await failure(model.batches?.since(0, live()) ?? Promise.resolve())).kind).toBe('overloaded');
    server.down(null);
    expect(await model.batches?.since(0, live())).toEqual([]);
  });
});

describe('abort', () => {
  it("rejects with the caller's reason while the provider is silent", async () => {
    server.script({ kind: 'silence' });
    const controller = new AbortController();
    const reason = new Error('activity cancelled');
    const call = await modelAt(server).prepareWindow(window, live());
    const outcome = call.send(controller.signal).catch((error: unknown) => error);
    await server.received(1);
    controller.abort(reason);
    expect(await outcome).toBe(reason);
  });

  it('sends nothing if aborted before', async () => {
    const reason = new Error('too late');
    await expect(modelAt(server).prepareWindow(window, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(server.log).toHaveLength(0);
  });
});
