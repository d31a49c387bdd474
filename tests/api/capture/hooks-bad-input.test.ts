import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../../api/errors.ts';
import type { CallOptions } from '../../setup/instance.ts';
import { errorOf, writingNothing, expectError } from '../support/answers.ts';
import { fileInstance } from '../../setup/file-instance.ts';

const instance = fileInstance();

const good = { session_id: 'bad-input', cwd: '/src/app', hook_event_name: 'UserPromptSubmit', prompt: 'hello' };
const post = (path: string, options: CallOptions) => instance.call('POST', path, options);

describe('a hook that cannot be taken is answered with its code and field, and nothing is written', () => {
  test.each<[string, string, CallOptions, ErrorCode, string[]]>([
    ['no session id', 'Stop', { body: { cwd: '/src' } }, 'VALIDATION_FAILED', ['session_id']],
    ['an empty session id', 'Stop', { body: { session_id: '' } }, 'VALIDATION_FAILED', ['session_id']],
    ['a session id that is a number', 'Stop', { body: { session_id: 7 } }, 'VALIDATION_FAILED', ['session_id']],
    [
      'a session id of 257 characters',
      'Stop',
      { body: { session_id: 'x'.repeat(257) } },
      'VALIDATION_FAILED',
      ['session_id'],
    ],
    [
      'a delivery id that is too long',
      'Stop',
      { body: good, headers: { 'x-recollect-delivery': 'x'.repeat(257) } },
      'VALIDATION_FAILED',
      ['x-recollect-delivery'],
    ],
    ['a session id that is null', 'Stop', { body: { session_id: null, cwd: 1 } }, 'VALIDATION_FAILED', ['session_id']],
    ['a name with a dot', 'pre.compact', { body: good }, 'VALIDATION_FAILED', ['event']],
    ['a name with a blank', 'Stop%202', { body: good }, 'VALIDATION_FAILED', ['event']],
    ['a name of 65 letters', 'x'.repeat(65), { body: good }, 'VALIDATION_FAILED', ['event']],
    ['a name that climbs', '..%2Fevents', { body: good }, 'VALIDATION_FAILED', ['event']],
    ['an array', 'Stop', { body: [good] }, 'VALIDATION_FAILED', ['']],
    ['a text', 'Stop', { body: 'hello' }, 'VALIDATION_FAILED', ['']],
    ['null', 'Stop', { raw: 'null' }, 'VALIDATION_FAILED', ['']],
    ['no JSON', 'Stop', { raw: '{"session_id": ' }, 'INVALID_JSON', []],
    ['JSON with something after it', 'Stop', { raw: '{} {}' }, 'INVALID_JSON', []],
    ['nothing at all', 'Stop', { raw: '' }, 'INVALID_JSON', []],
    ['bytes that are no UTF-8', 'Stop', { raw: new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d]) }, 'INVALID_UTF8', []],
    [
      'half a surrogate pair as bytes',
      'Stop',
      { raw: new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22]) },
      'INVALID_UTF8',
      [],
    ],
    [
      'a form',
      'Stop',
      { raw: 'session_id=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
      'UNSUPPORTED_MEDIA_TYPE',
      [],
    ],
    ['plain text', 'Stop', { raw: '{}', headers: { 'content-type': 'text/plain' } }, 'UNSUPPORTED_MEDIA_TYPE', []],
  ])('%s', async (_what, event, options, code, fields) => {
    const answer = await writingNothing(instance, () => post(`/hooks/${event}`, options));
    expect(errorOf(answer)).toEqual({ code, fields });
  });

  test('a message never repeats what was sent', async () => {
    const secret = 'AKIAIOSFODNN7EXAMPLE';
    for (const options of [
      { raw: `{"prompt": "${secret}` },
      { body: { session_id: { secret } } },
      { body: { ...good, session_id: secret.repeat(20) } },
    ]) {
      expect(JSON.stringify((await post('/hooks/Stop', options)).body)).not.toContain(secret);
    }
  });
});

describe('what a hook may well bring', () => {
  test('an unknown name is stored as an info observation with its own fields', async () => {
    const body = {
      ...good,
      session_id: 'unknown',
      hook_event_name: 'MoonPhase',
      phase: 'waxing',
      nested: { deep: [1, 'two'] },
    };
    expect(await post('/hooks/MoonPhase', { body })).toMatchObject({ status: 200, body: {} });
    expect((await post('/hooks/Moon_Phase-2', { body })).status).toBe(200);
    const row = await instance.rows("SELECT type, event, title, content FROM observations WHERE event = 'MoonPhase'");
    expect(row).toEqual([
      {
        type: 'info',
        event: 'MoonPhase',
        title: 'MoonPhase',
        content: JSON.stringify({ prompt: 'hello', phase: 'waxing', nested: { deep: [1, 'two'] } }),
      },
    ]);
  });

  test('odd values of fields that need not be there do not lose the hook', async () => {
    const odd = {
      session_id: 'odd',
      tool_name: 7,
      tool_input: 'text',
      tool_response: null,
      tool_use_id: {},
      duration_ms: -1,
      unknown_field: [null],
    };
    expect((await post('/hooks/PostToolUse', { body: odd })).status).toBe(200);
    expect(
      await instance.value(
        "SELECT tool || '|' || content AS value FROM observations o JOIN sessions s ON s.id = o.session_id WHERE s.external_id = 'odd'",
      ),
    ).toBe('unknown|text');
  });

  test.each<[string, Record<string, unknown>, unknown]>([
    ['a folder that is null', { cwd: null }, null],
    ['a folder that is none', { cwd: ['/src'] }, { not_understood: { cwd: ['/src'] } }],
    ['an agent that is null', { agent_id: null, agent_type: null }, null],
    ['an agent that is an object', { agent_id: { a: 1 } }, { not_understood: { agent_id: { a: 1 } } }],
    ['a name that is too long', { agent_type: 'x'.repeat(300) }, null],
    ['a time that is none', { timestamp: 'yesterday' }, { not_understood: { timestamp: 'yesterday' } }],
    ['a time before all time', { timestamp: '0000-01-01T00:00:00Z' }, expect.anything()],
    ['a time in milliseconds', { timestamp: 1_767_323_045_000 }, null],
    ['a time without a zone', { timestamp: '2026-01-02T03:04:05' }, null],
    ['an event id that is empty', { event_id: '' }, null],
    ['an event name that is a number', { hook_event_name: 1 }, { not_understood: { hook_event_name: 1 } }],
    [
      'a field that is unknown, with a secret',
      { hint: 'AKIAIOSFODNN7EXAMPLE' },
      { hint: expect.stringMatching(/^\[/) },
    ],
  ])('%s does not lose a prompt', async (what, fields, metadata) => {
    const answer = await post('/hooks/UserPromptSubmit', { body: { ...good, session_id: what, ...fields } });
    expect([answer.status, answer.body]).toEqual([200, {}]);
    const [row] = await instance.rows<{ content: string; metadata: unknown; agent_type: string | null; at: string }>(
      'SELECT p.content, p.metadata, p.agent_type, p.occurred_at::text AS at FROM prompts p JOIN sessions s ON s.id = p.session_id WHERE s.external_id = $1',
      [what],
    );
    expect(row).toMatchObject({ content: 'hello', metadata });
    expect(row?.agent_type ?? '').toHaveLength('agent_type' in fields && fields['agent_type'] !== null ? 256 : 0);
    const at = new Date(row?.at ?? '').toISOString();
    expect(at === '2026-01-02T03:04:05.000Z').toBe(/in milliseconds|without a zone/.test(what));
  });

  test('the instructions of a compaction are stored with its boundary, redacted, and forgotten with it', async () => {
    const body = { session_id: 'compact', trigger: 'manual', custom_instructions: 'keep it <private>pin 7</private>' };
    const delivery = { 'x-recollect-delivery': 'compaction-1' };
    expect((await post('/hooks/PreCompact', { body, headers: delivery })).status).toBe(200);
    const stored = () =>
      instance.value(
        "SELECT b.metadata AS value FROM boundaries b JOIN sessions s ON s.id = b.session_id WHERE s.external_id = 'compact'",
      );
    expect(await stored()).toEqual({ custom_instructions: 'keep it [private]' });
    expect((await instance.delete('/events/compaction-1')).status).toBe(200);
    expect(await stored()).toBeUndefined();
  });

  test('an id of a tool use that is too long for an index still identifies the call', async () => {
    const long = Array.from({ length: 120 }, () => randomUUID()).join('');
    const call = (id: string) =>
      post('/hooks/PostToolUse', {
        body: { session_id: 'long-id', tool_name: 'Bash', tool_input: { command: 'true' }, tool_use_id: id },
      });
    for (const id of [long, `${long}x`, long]) expect((await call(id)).status).toBe(200);
    expect(await instance.value("SELECT last_seq AS value FROM sessions WHERE external_id = 'long-id'")).toBe(2);
  });

  test('a value over 64 KiB is cut in the middle and its size is noted, in the text and in the input', async () => {
    const text = `${'a'.repeat(40_000)}${'é'.repeat(40_000)}${'z'.repeat(40_000)}`;
    const bytes = Buffer.byteLength(text);
    expect(
      (
        await post('/hooks/PostToolUse', {
          body: {
            session_id: 'cut',
            tool_name: 'Odd',
            tool_input: { long: text, short: 'stored' },
            tool_response: { stdout: text },
          },
        })
      ).status,
    ).toBe(200);
    const row = await instance.rows<{ content: string; input: { long: string; short: string } }>(
      "SELECT o.content, o.input FROM observations o JOIN sessions s ON s.id = o.session_id WHERE s.external_id = 'cut'",
    );
    const { content, input } = row[0] ?? { content: '', input: { long: '', short: '' } };
    expect(input.short).toBe('stored');
    for (const value of [content, input.long]) {
      expect(Buffer.byteLength(value)).toBeLessThanOrEqual(64 * 1024);
      expect(value).toContain('bytes in all, the middle is left out');
      expect(value.isWellFormed()).toBe(true);
    }
    expect(input.long).toContain(`${bytes} bytes in all`);
    expect(input.long.startsWith('aaaa')).toBe(true);
    expect(input.long.endsWith('zzzz')).toBe(true);
  });

  test('a value of exactly 64 KiB is not truncated', async () => {
    const prompt = 'p'.repeat(64 * 1024);
    expect((await post('/hooks/UserPromptSubmit', { body: { session_id: 'complete', prompt } })).status).toBe(200);
    expect(
      await instance.value(
        "SELECT p.content AS value FROM prompts p JOIN sessions s ON s.id = p.session_id WHERE s.external_id = 'complete'",
      ),
    ).toBe(prompt);
  });

  test('a question for context and an answer of our own tools leave nothing behind', async () => {
    await writingNothing(instance, async () => {
      expect(
        (await post('/hooks/PreToolUse', { body: { session_id: 'request-only', tool_name: 'Read', tool_input: {} } }))
          .status,
      ).toBe(200);
      expect(
        (
          await post('/hooks/PostToolUse', {
            body: { session_id: 'own-tool', tool_name: 'mcp__recollect__search', tool_input: {} },
          })
        ).status,
      ).toBe(200);
      const event = {
        type: 'observation',
        host: 'test',
        session_id: 'own-tool',
        tool: { name: 'mcp__recollect__get' },
      };
      expectError(await post('/events', { body: event }), 'EVENT_NOT_STORABLE');
    });
  });

  test('a hook for a deleted session is refused for good', async () => {
    expect((await post('/hooks/UserPromptSubmit', { body: { ...good, session_id: 'deleted' } })).status).toBe(200);
    await instance.write("UPDATE sessions SET status = 'deleted' WHERE external_id = 'deleted'");
    expectError(
      await writingNothing(instance, () => post('/hooks/Stop', { body: { session_id: 'deleted' } })),
      'SESSION_DELETED',
    );
  });
});
