import { describe, expect, test } from 'vitest';
import { captureAnswerSchema } from '../../../contract/events.ts';
import type { ErrorCode } from '../../../api/errors.ts';
import type { CallOptions } from '../../setup/instance.ts';
import { errorOf, writingNothing, expectError } from '../support/answers.ts';
import { fileInstance } from '../../setup/file-instance.ts';

const MIB = 1024 * 1024;
const instance = fileInstance();

const prompt = { type: 'prompt', session_id: 's', content: 'hello' };
const note = { type: 'observation', session_id: 's', text: 'hello' };
const call = { type: 'observation', session_id: 's', tool: { name: 'Bash' } };

/** What is wrong, the event, its code, the field that is named. */
const FAULTS: readonly (readonly [string, unknown, ErrorCode, string])[] = [
  ['an unknown type', { ...prompt, type: 'prompt.sent' }, 'UNKNOWN_EVENT_TYPE', 'type'],
  ['no type', { session_id: 's' }, 'UNKNOWN_EVENT_TYPE', 'type'],
  ['a type from the prototype', { ...prompt, type: 'constructor' }, 'UNKNOWN_EVENT_TYPE', 'type'],
  ['a type that is a list', { ...prompt, type: ['prompt'] }, 'UNKNOWN_EVENT_TYPE', 'type'],
  ['a number', 7, 'UNKNOWN_EVENT_TYPE', 'type'],
  ['null', null, 'UNKNOWN_EVENT_TYPE', 'type'],
  ['a list', [prompt], 'UNKNOWN_EVENT_TYPE', 'type'],
  ['no session id', { type: 'prompt', content: 'x' }, 'VALIDATION_FAILED', 'session_id'],
  ['an empty session id', { ...prompt, session_id: '' }, 'VALIDATION_FAILED', 'session_id'],
  ['a session id that is a number', { ...prompt, session_id: 1 }, 'VALIDATION_FAILED', 'session_id'],
  ['a session id of 257 characters', { ...prompt, session_id: 'x'.repeat(257) }, 'VALIDATION_FAILED', 'session_id'],
  ['a host with a space', { ...prompt, host: 'my host' }, 'VALIDATION_FAILED', 'host'],
  ['a host of 65 letters', { ...prompt, host: 'x'.repeat(65) }, 'VALIDATION_FAILED', 'host'],
  ['a host with a colon, which addresses need', { ...prompt, host: 'a:b' }, 'VALIDATION_FAILED', 'host'],
  ['an empty namespace', { ...prompt, namespace: '' }, 'VALIDATION_FAILED', 'namespace'],
  ['a namespace that is too long', { ...prompt, namespace: 'x'.repeat(129) }, 'VALIDATION_FAILED', 'namespace'],
  ['a project that is a text', { ...prompt, project: 'app' }, 'VALIDATION_FAILED', 'project'],
  ['a remote that is a number', { ...prompt, project: { remote: 7 } }, 'VALIDATION_FAILED', 'project.remote'],
  ['a path that is too long', { ...prompt, project: { path: 'x'.repeat(4097) } }, 'VALIDATION_FAILED', 'project.path'],
  ['a time without a zone', { ...prompt, occurred_at: '2026-01-01T00:00:00' }, 'VALIDATION_FAILED', 'occurred_at'],
  ['a day that does not exist', { ...prompt, occurred_at: '2026-02-30T00:00:00Z' }, 'VALIDATION_FAILED', 'occurred_at'],
  ['the year 0', { ...prompt, occurred_at: '0000-06-01T00:00:00Z' }, 'VALIDATION_FAILED', 'occurred_at'],
  [
    'a zone that is too far off',
    { ...prompt, occurred_at: '2026-01-01T00:00:00+23:59' },
    'VALIDATION_FAILED',
    'occurred_at',
  ],
  ['a time that is a number', { ...prompt, occurred_at: 1_767_225_600 }, 'VALIDATION_FAILED', 'occurred_at'],
  ['a key that is too long', { ...prompt, key: 'x'.repeat(513) }, 'VALIDATION_FAILED', 'key'],
  ['an empty key', { ...prompt, key: '' }, 'VALIDATION_FAILED', 'key'],
  ['an infer that is a text', { ...prompt, infer: 'false' }, 'VALIDATION_FAILED', 'infer'],
  ['an agent that is a text', { ...prompt, agent: 'a1' }, 'VALIDATION_FAILED', 'agent'],
  ['an agent id that is a number', { ...prompt, agent: { id: 1 } }, 'VALIDATION_FAILED', 'agent.id'],
  ['a role that is none', { ...prompt, role: 'root' }, 'VALIDATION_FAILED', 'role'],
  ['a prompt without content', { type: 'prompt', session_id: 's' }, 'VALIDATION_FAILED', 'content'],
  ['empty content', { ...prompt, content: '' }, 'VALIDATION_FAILED', 'content'],
  ['content that is an object', { ...prompt, content: { text: 'x' } }, 'VALIDATION_FAILED', 'content'],
  ['an observation of nothing', { type: 'observation', session_id: 's' }, 'VALIDATION_FAILED', 'text'],
  ['a text that is a number', { ...note, text: 1 }, 'VALIDATION_FAILED', 'text'],
  ['a level that is none', { ...note, level: 'fatal' }, 'VALIDATION_FAILED', 'level'],
  ['tags that are a text', { ...note, tags: 'a,b' }, 'VALIDATION_FAILED', 'tags'],
  ['a tag that is too long', { ...note, tags: ['fine', 'x'.repeat(65)] }, 'VALIDATION_FAILED', 'tags.1'],
  [
    'too many tags',
    { ...note, tags: Array.from({ length: 33 }, (_, index) => `t${index}`) },
    'VALIDATION_FAILED',
    'tags',
  ],
  ['an importance over 1', { ...note, importance: 1.01 }, 'VALIDATION_FAILED', 'importance'],
  ['an importance that is a text', { ...note, importance: 'high' }, 'VALIDATION_FAILED', 'importance'],
  ['a tool that is a text', { ...call, tool: 'Bash' }, 'VALIDATION_FAILED', 'tool'],
  ['a tool without a name', { ...call, tool: { input: {} } }, 'VALIDATION_FAILED', 'tool.name'],
  ['an error that is an object', { ...call, tool: { name: 'Bash', error: {} } }, 'VALIDATION_FAILED', 'tool.error'],
  [
    'a tool use id that is too long',
    { ...call, tool: { name: 'Bash', use_id: 'x'.repeat(257) } },
    'VALIDATION_FAILED',
    'tool.use_id',
  ],
  [
    'a duration below nothing',
    { ...call, tool: { name: 'Bash', duration_ms: -1 } },
    'VALIDATION_FAILED',
    'tool.duration_ms',
  ],
  [
    'a duration above the range of the column',
    { ...call, tool: { name: 'Bash', duration_ms: 2_147_483_648 } },
    'VALIDATION_FAILED',
    'tool.duration_ms',
  ],
  ['a model that is a number', { type: 'session.started', session_id: 's', model: 1 }, 'VALIDATION_FAILED', 'model'],
  [
    'a reason that is too long',
    { type: 'session.ended', session_id: 's', reason: 'x'.repeat(257) },
    'VALIDATION_FAILED',
    'reason',
  ],
  ['more than one MiB', { ...prompt, content: 'x'.repeat(MIB) }, 'EVENT_TOO_LARGE', ''],
];

describe('an event that cannot be taken is answered with its code and field, and nothing is written', () => {
  test.each(FAULTS)('%s', async (_what, event, code, field) => {
    const answer = await writingNothing(instance, () => instance.post('/events', event));
    expect(errorOf(answer)).toEqual({ code, fields: field === '' ? [] : [field] });
  });

  test.each<[string, CallOptions, ErrorCode]>([
    ['no JSON', { raw: '{"type": prompt}' }, 'INVALID_JSON'],
    ['nothing', { raw: '' }, 'INVALID_JSON'],
    ['no UTF-8', { raw: new Uint8Array([0x22, 0xc3, 0x28, 0x22]) }, 'INVALID_UTF8'],
    ['another content type', { raw: '{}', headers: { 'content-type': 'application/xml' } }, 'UNSUPPORTED_MEDIA_TYPE'],
  ])('%s', async (_what, options, code) => {
    for (const path of ['/events', '/events/batch'])
      expectError(await writingNothing(instance, () => instance.call('POST', path, options)), code);
  });

  test('NDJSON to the route for one event is no event', async () => {
    const options = { raw: `${JSON.stringify(prompt)}\n`, headers: { 'content-type': 'application/x-ndjson' } };
    expectError(
      await writingNothing(instance, () => instance.call('POST', '/events', options)),
      'UNSUPPORTED_MEDIA_TYPE',
    );
  });
});

describe('a batch', () => {
  test('of nothing but faults names each by its place and code, and writes nothing', async () => {
    const events = FAULTS.map(([, event]) => event);
    const answer = await writingNothing(instance, () => instance.post('/events/batch', events));
    expect(answer.status).toBe(202);
    const { items, ...counts } = captureAnswerSchema.parse(answer.body);
    expect(counts).toEqual({ accepted: 0, duplicates: 0, rejected: FAULTS.length });
    expect(items.map((item) => [item.index, item.status, item.id, item.code])).toEqual(
      FAULTS.map(([, , code], index) => [index, 'rejected', null, code]),
    );
    for (const [index, [, , , field]] of FAULTS.entries()) expect(items[index]?.message).toContain(field);
  });

  test('is a list of at most 1,000', async () => {
    for (const body of [prompt, { events: [prompt] }, 'x', 7])
      expectError(await writingNothing(instance, () => instance.post('/events/batch', body)), 'VALIDATION_FAILED', '');
    const body = Array.from({ length: 1_001 }, (_, index) => ({ ...prompt, content: `${index}` }));
    expectError(await writingNothing(instance, () => instance.post('/events/batch', body)), 'VALIDATION_FAILED', '');
    const full = await instance.post('/events/batch', body.slice(1));
    expect(captureAnswerSchema.parse(full.body)).toMatchObject({ accepted: 1_000, duplicates: 0, rejected: 0 });
  });

  test('may be empty', async () => {
    expect(await writingNothing(instance, () => instance.post('/events/batch', []))).toMatchObject({
      status: 202,
      body: { accepted: 0, duplicates: 0, rejected: 0, items: [] },
    });
  });
});
