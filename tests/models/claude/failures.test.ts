import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ModelError } from '../../../domain/ports/model.ts';
import { failure, live, modelAt, SECRET_WORD, topic, window } from './claude-fixture.ts';
import { type MessagesServer, type Reply, startMessagesServer } from './messages-server.ts';

let server: MessagesServer;
beforeEach(async () => {
  server = await startMessagesServer();
});
afterEach(() => server.close());

describe('bad answers', () => {
  const wrong = { ...topic, items: [{ ...topic.items[0], kind: 'poem' }] };

  it('are repaired once, with the reason, and both calls are paid for', async () => {
    server.script({ kind: 'message', answer: wrong }, { kind: 'message', answer: topic });
    const { usage } = await modelAt(server).summariseWindow(window, live());
    expect(usage).toHaveLength(2);
    const messages = server.requests[1]?.messages ?? [];
    expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect(JSON.stringify(messages[2]?.content)).toContain('items.0.kind');
    expect(server.requests[1]?.system).toEqual(server.requests[0]?.system);
  });

  it.each<readonly [string, unknown]>([
    ['prose', `The ${SECRET_WORD} is broken`],
    ['nothing', ' '],
    ['another shape', { learned: SECRET_WORD }],
    ['extra fields', { ...topic, [SECRET_WORD]: 1 }],
  ])('%s twice is invalid_output, and the message holds none of it', async (_, answer) => {
    server.script({ kind: 'message', answer }, { kind: 'message', answer });
    const error = await failure(modelAt(server).summariseWindow(window, live()));
    expect(error.kind).toBe('invalid_output');
    expect(error.usage).toHaveLength(2);
    expect(error.message).not.toContain(SECRET_WORD);
    expect(server.requests).toHaveLength(2);
  });

  it('in a code fence are read all the same', async () => {
    server.script({ kind: 'message', answer: `\`\`\`json\n${JSON.stringify(topic)}\n\`\`\`` });
    expect((await modelAt(server).summariseWindow(window, live())).usage).toHaveLength(1);
  });

  it.each([
    ['max_tokens', 'truncated'],
    ['model_context_window_exceeded', 'truncated'],
    ['refusal', 'refused'],
  ])('stop reason %s is %s, with its cost', async (stopReason, kind) => {
    server.script({ kind: 'message', answer: '{"title": "cut', stopReason });
    const error = await failure(modelAt(server).summariseWindow(window, live()));
    expect(error).toMatchObject({ kind, usage: [{ tokensOut: 50 }] });
    expect(server.requests).toHaveLength(1);
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
    const error = await failure(modelAt(server).summariseWindow(window, live()));
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
    expect((await failure(modelAt(server, { timeoutMs: 150 }).summariseWindow(window, live()))).kind).toBe('timeout');
  });

  it('nobody listening is unavailable, and says the code', async () => {
    await server.close();
    const error = await failure(modelAt(server).summariseWindow(window, live()));
    expect(error.kind).toBe('unavailable');
    expect(error.message).toContain('ECONNREFUSED');
  });

  it('a wrong key is unauthorised', async () => {
    expect((await failure(modelAt(server, { apiKey: 'other' }).summariseWindow(window, live()))).kind).toBe(
      'unauthorised',
    );
  });

  it('in the repair keeps the cost of the first call', async () => {
    server.script({ kind: 'message', answer: 'no' }, provider(529, 'overloaded_error'));
    expect(await failure(modelAt(server).summariseWindow(window, live()))).toMatchObject({
      kind: 'overloaded',
      usage: [{ tokensIn: 100 }],
    });
  });
});

describe('abort', () => {
  it("rejects with the caller's reason while the provider is silent", async () => {
    server.script({ kind: 'silence' });
    const controller = new AbortController();
    const reason = new Error('activity cancelled');
    const outcome = modelAt(server)
      .summariseWindow(window, controller.signal)
      .catch((error: unknown) => error);
    await server.received(1);
    controller.abort(reason);
    expect(await outcome).toBe(reason);
  });

  it('makes no call when it came before', async () => {
    const reason = new Error('too late');
    await expect(modelAt(server).summariseWindow(window, AbortSignal.abort(reason))).rejects.toBe(reason);
    expect(server.requests).toHaveLength(0);
  });
});
