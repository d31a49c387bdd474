import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { buildCaptureEvent, isBoundary, previewOf } from '../../../domain/capture/build-event.ts';
import type { CaptureEvent, EventPart, HostEvent } from '../../../domain/capture/event.ts';
import { translateHook } from '../../../domain/capture/claude-code-hooks.ts';
import { byteLength, VALUE_LIMIT_BYTES } from '../../../domain/capture/well-formed.ts';
import { asId } from '../../../domain/ids.ts';
import type { DataClass } from '../../../domain/data-classes.ts';
import type { FullValue } from '../../../domain/redaction/redact.ts';
import type { TenantId, UserId } from '../../../domain/ids.ts';
import { PLAIN_HOST_EVENT } from '../../setup/host-event.ts';

const owner = { tenantId: asId<TenantId>('t'), userId: asId<UserId>('u') };
const receivedAt = new Date('2026-01-02T03:04:05.678Z');

const hostEvent = PLAIN_HOST_EVENT;
const tool = {
  kind: 'tool',
  event: 'PostToolUse',
  name: 'Bash',
  input: { command: 'ls' },
  response: 'a',
  error: null,
  durationMs: 5,
  importance: null,
  tags: [],
} as const satisfies EventPart;
const note = {
  kind: 'note',
  event: 'x',
  type: 'info',
  title: 'T',
  content: 'c',
  importance: null,
  tags: [],
} as const satisfies EventPart;

function build(event: Partial<HostEvent>, at: Date = receivedAt): CaptureEvent {
  return buildCaptureEvent({ ...hostEvent, ...event }, owner, at);
}

const hashOf = (event: Partial<HostEvent>, at?: Date): string => build(event, at).hash;

describe('hash of an event', () => {
  it('is that of the same event again, whenever it is received', () => {
    expect(hashOf({})).toMatch(/^[0-9a-f]{64}$/);
    expect(hashOf({}, new Date('2027-01-01T00:00:00Z'))).toBe(hashOf({}));
    expect(hashOf({ parts: [tool, note] })).toBe(hashOf({ parts: [tool, note] }));
  });

  it('is another one at another time of the host', () => {
    const times = [null, '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.001Z'];
    expect(new Set(times.map((occurredAt) => hashOf({ occurredAt }))).size).toBe(3);
  });

  it.each<[string, readonly EventPart[]]>([
    ['content', [{ ...note, content: 'd' }]],
    ['title', [{ ...note, title: 'U' }]],
    ['type', [{ ...note, type: 'warning' }]],
    ['tags', [{ ...note, tags: ['a'] }]],
    ['importance', [{ ...note, importance: 0.9 }]],
    ['a second part', [note, note]],
  ])('is another one with another %s', (_, parts) => {
    expect(hashOf({ parts })).not.toBe(hashOf({ parts: [note] }));
  });

  it('is another one for another agent', () => {
    expect(hashOf({ parts: [note], agent: { id: 'a', type: null } })).not.toBe(hashOf({ parts: [note] }));
  });
});

describe('rows', () => {
  it('a prompt', () => {
    expect(build({}).rows).toMatchObject([
      {
        kind: 'prompt',
        type: 'user',
        content: 'hello',
        tokens: 2,
        redactions: null,
        occurred_at: '2026-01-02T03:04:05.678Z',
      },
    ]);
  });

  it('a tool call, with agent, duration and files', () => {
    const part: EventPart = { ...tool, name: 'Edit', input: { file_path: '/a', old_string: 'x', new_string: 'y' } };
    expect(build({ parts: [part], agent: { id: 'a1', type: 'Explore' } }).rows).toMatchObject([
      {
        kind: 'observation',
        type: 'tool_result',
        tool: 'Edit',
        title: 'Edit: /a',
        importance: 0.4,
        files_read: [],
        files_modified: ['/a'],
        agent_id: 'a1',
        agent_type: 'Explore',
        duration_ms: 5,
        input: { file_path: '/a', old_string: 'x', new_string: 'y' },
      },
    ]);
  });

  it('a failing call is an error of more weight', () => {
    expect(build({ parts: [{ ...tool, error: 'Exit code 1' }] }).rows).toMatchObject([
      { type: 'error', importance: 0.7 },
    ]);
    expect(build({ parts: [{ ...tool, importance: 0.1 }] }).rows).toMatchObject([{ importance: 0.1 }]);
  });

  it('stores a note with fields as JSON', () => {
    expect(build({ parts: [{ ...note, content: { a: [1], b: 'x' } }] }).rows).toMatchObject([
      { content: '{"a":[1],"b":"x"}' },
    ]);
  });

  it.each<[string, EventPart, Record<string, unknown>]>([
    ['a prompt', { kind: 'prompt', type: 'user', content: 'c' }, {}],
    [
      'a boundary',
      { kind: 'boundary', boundary: 'session_end', reason: '<private>x</private>' },
      { reason: '[private]' },
    ],
    ['a tool call', { ...tool, tags: ['<private>x</private>'] }, { tags: ['[private]'] }],
    [
      'a note',
      { ...note, importance: 0.9, tags: ['<private>x</private>'] },
      { importance: 0.9, tags: ['[private]'], files_read: [], files_modified: [] },
    ],
  ])('stores the fields of %s, unknown ones redacted', (_, part, fields) => {
    const extra = { a: '<private>x</private>' };
    const [row] = build({ parts: [{ ...part, extra }] }).rows;
    expect(row).toMatchObject({ ...fields, metadata: { a: '[private]' } });
  });

  it('has metadata without unknown fields only for observations', () => {
    const boundary: EventPart = { kind: 'boundary', boundary: 'turn_end', reason: null };
    const [prompt, end, call] = build({ parts: [...hostEvent.parts, boundary, tool] }).rows;
    expect(prompt).not.toHaveProperty('metadata');
    expect(end).not.toHaveProperty('metadata');
    expect(end).toMatchObject({ reason: null });
    expect(call).toMatchObject({ metadata: null });
  });

  it('stores the metadata of the event, redacted', () => {
    expect(build({ metadata: { a: '<private>x</private>' } }).metadata).toEqual({ a: '[private]' });
    expect(build({ metadata: null, key: null })).toMatchObject({ metadata: null, key: null });
  });

  it('every row has its own id, in order', () => {
    const ids = build({ parts: [note, note, note] }).rows.map((row) => row.id);
    expect(new Set(ids).size).toBe(3);
    expect(ids.toSorted()).toEqual(ids);
  });

  it('uses the host’s time if it sends one', () => {
    expect(build({ occurredAt: '2020-01-01T00:00:00Z' })).toMatchObject({
      received_at: '2026-01-02T03:04:05.678Z',
      rows: [{ occurred_at: '2020-01-01T00:00:00Z' }],
    });
  });

  it.each([
    ['2026-01-02T03:09:00.000Z', '2026-01-02T03:09:00.000Z'],
    ['2026-01-02T03:10:00.000Z', '2026-01-02T03:04:05.678Z'],
    ['9999-12-31T23:59:59.999Z', '2026-01-02T03:04:05.678Z'],
  ])('a time of %s is stored as %s: not after it was received', (occurredAt, stored) => {
    expect(build({ occurredAt }).rows).toMatchObject([{ occurred_at: stored }]);
  });

  it('stays within the bounds of a value', () => {
    const big = '时'.repeat(100_000);
    const rows = build({
      parts: [
        { kind: 'prompt', type: 'user', content: big },
        { ...tool, input: { command: big }, response: big },
        { ...note, content: { big, more: big }, title: big },
      ],
    }).rows;
    for (const row of rows) {
      const content = row.kind === 'boundary' ? '' : row.content;
      expect(byteLength(content)).toBeGreaterThan(VALUE_LIMIT_BYTES / 2);
      expect(byteLength(content)).toBeLessThanOrEqual(VALUE_LIMIT_BYTES);
    }
    expect(rows[2]).toMatchObject({ title: '时'.repeat(200) });
  });
});

describe('text that the database refuses', () => {
  it('is made well-formed in every field', () => {
    const bad = 'x\u0000\uD83Dy';
    const event = build({
      externalId: bad,
      namespace: bad,
      key: bad,
      model: bad,
      metadata: { [bad]: bad },
      project: { path: bad, name: bad },
      agent: { id: bad, type: bad },
      parts: [
        { ...tool, name: bad, input: { [bad]: [bad] }, response: bad, error: bad, tags: [bad] },
        { ...note, title: bad, content: bad, tags: [bad] },
        { kind: 'prompt', type: 'user', content: bad },
        { kind: 'boundary', boundary: 'other', reason: bad },
      ],
    });
    const json = JSON.stringify(event);
    expect(json).not.toMatch(/\\u0000|\\ud83d/i);
    expect(json.split('\uFFFD\uFFFD').length).toBeGreaterThan(15);
  });
});

describe('private passages', () => {
  const SECRET = 'hunter2-and-more';
  const PRIVATE = `<private>${SECRET}</private>`;

  it('are in no field of the result', () => {
    const event = build({
      project: { path: '/src', name: PRIVATE },
      metadata: { source: PRIVATE, [PRIVATE]: 1, deep: [{ password: SECRET }] },
      parts: [
        {
          ...tool,
          name: `T${PRIVATE}`,
          input: { command: `echo ${PRIVATE}`, [PRIVATE]: { password: SECRET }, list: [PRIVATE] },
          response: { stdout: PRIVATE, stderr: `DB_PASSWORD=${SECRET}` },
          error: PRIVATE,
          tags: [PRIVATE],
        },
        { ...note, title: PRIVATE, content: PRIVATE, tags: [PRIVATE] },
        { ...note, content: { tool_input: { api_key: SECRET }, message: PRIVATE } },
        { kind: 'prompt', type: 'user', content: `before ${PRIVATE} after` },
        { kind: 'boundary', boundary: 'other', reason: PRIVATE },
      ],
    });
    expect(JSON.stringify(event)).not.toContain('hunter2');
    expect(event.rows[3]).toMatchObject({ content: 'before [private] after', redactions: { private: 1 } });
  });

  it('do not change the hash', () => {
    const withPrivate = (content: string) => hashOf({ parts: [{ kind: 'prompt', type: 'user', content }] });
    expect(withPrivate('<private>one</private>')).toBe(withPrivate('<private>two</private>'));
  });

  it('is taken out before anything is cut', () => {
    const content = `${'x'.repeat(20_000)}<private>${SECRET.repeat(10_000)}</private>${'y'.repeat(10)}`;
    const [row] = build({ parts: [{ kind: 'prompt', type: 'user', content }] }).rows;
    expect(row).toMatchObject({ content: `${'x'.repeat(20_000)}[private]${'y'.repeat(10)}` });
  });

  it('is not in a preview or a title that ends inside it', () => {
    const command = `${'x'.repeat(150)}<private>${SECRET}</private>`;
    const [row] = build({ parts: [{ ...tool, input: { command } }] }).rows;
    expect(row).toMatchObject({
      title: expect.not.stringContaining('hun'),
      preview: expect.not.stringContaining('hun'),
    });
  });

  it('are counted', () => {
    const part = { ...tool, input: { password: SECRET }, response: `${PRIVATE} <system-reminder>x</system-reminder>` };
    expect(build({ parts: [part] }).rows).toMatchObject([
      { redactions: { private: 1, injected: 1, 'secret-field': 1 } },
    ]);
  });

  it('is taken out of a hook that is not known, field by field', () => {
    const hook = translateHook(
      'NewHook',
      { session_id: 's', tool_input: { password: SECRET }, note: '<private>unclosed', last: 'visible' },
      null,
    );
    expect(hook).not.toBeNull();
    const [row] = build({ parts: hook?.parts ?? [] }).rows;
    expect(row).toMatchObject({
      content: '{"tool_input":{"password":"[redacted:secret-field]"},"note":"[private]","last":"visible"}',
    });
  });

  it('survives a hook that is nested ten thousand deep', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(10_000)}${']'.repeat(10_000)}`);
    const hook = translateHook('NewHook', { session_id: 's', deep }, null);
    const [row] = build({ parts: hook?.parts ?? [] }).rows;
    expect(row).toMatchObject({ content: expect.stringContaining('[too deep]') });
  });
});

describe('class of a row', () => {
  it.each<[string, EventPart, string]>([
    ['a plain prompt', { kind: 'prompt', type: 'user', content: 'hello' }, 'internal'],
    ['an address in a prompt', { kind: 'prompt', type: 'user', content: 'ask jane@acme.io' }, 'sensitive'],
    ['a secret in an input', { ...tool, input: { password: 'x' } }, 'confidential'],
    ['a card in an answer', { ...tool, response: { stdout: 'paid by 4111 1111 1111 1111' } }, 'restricted'],
    ['a secret in a note', { ...note, content: { a: { api_key: 'x' } } }, 'confidential'],
    ['an address in a tag', { ...note, tags: ['jane@acme.io'] }, 'sensitive'],
  ])('%s', (_, part, dataClass) => {
    expect(build({ parts: [part] }).rows).toMatchObject([{ data_class: dataClass }]);
  });

  it('does not identify an event', () => {
    const event = build({ parts: [{ ...note, content: 'ask jane@acme.io' }] });
    const hashed = event.rows.map((row) => ({ ...row, id: undefined, data_class: undefined, occurred_at: undefined }));
    expect(event.rows).toMatchObject([{ data_class: 'sensitive' }]);
    expect(event.hash).toBe(createHash('sha256').update(JSON.stringify(hashed)).digest('hex'));
  });

  it('removes by the classes that the caller names', () => {
    const parts: EventPart[] = [{ kind: 'prompt', type: 'user', content: 'ask jane@acme.io, 536-22-8145' }];
    const content = (removeClasses: readonly DataClass[] | undefined) =>
      buildCaptureEvent({ ...hostEvent, parts }, owner, receivedAt, { removeClasses }).rows[0];
    expect(content(undefined)).toMatchObject({ content: 'ask jane@acme.io, [redacted:national-id]' });
    expect(content(['sensitive'])).toMatchObject({
      content: 'ask [redacted:email], 536-22-8145',
      data_class: 'restricted',
    });
  });
});

describe('values that are too long', () => {
  const big = `${'x'.repeat(40_000)}<private>p</private>${'y'.repeat(40_000)}`;
  const cleaned = `${'x'.repeat(40_000)}[private]${'y'.repeat(40_000)}`;

  it('are cut once, with the size of all of it', () => {
    const [row] = build({ parts: [{ ...tool, input: { command: big }, response: big }] }).rows;
    const size = byteLength(`$ ${cleaned}\n\n${cleaned}`);
    const content = row?.kind === 'observation' ? row.content : '';
    expect(content.match(/bytes in all/g)).toHaveLength(1);
    expect(content).toContain(`… ${size} bytes in all, the middle is left out …`);
    expect(row).toMatchObject({ input: { command: expect.stringContaining(`… ${byteLength(cleaned)} bytes in all`) } });
  });

  it('are returned if the caller requests them', () => {
    const fullValues: FullValue[] = [];
    const parts: EventPart[] = [
      { kind: 'prompt', type: 'user', content: big },
      { ...tool, response: big },
      { kind: 'prompt', type: 'user', content: 'short' },
    ];
    const event = buildCaptureEvent({ ...hostEvent, parts }, owner, receivedAt, { fullValues });
    expect(fullValues.map(({ text }) => text)).toEqual([cleaned, `$ ls\n\n${cleaned}`]);
    for (const [at, { sha256 }] of fullValues.entries())
      expect(event.rows[at]).toMatchObject({ content: expect.stringContaining(`(sha256:${sha256})`) });
    expect(JSON.stringify(fullValues)).not.toContain('<private>');
  });

  it('a file name is cut, too', () => {
    const [row] = build({ parts: [{ ...tool, name: 'Read', input: { file_path: `/${'f'.repeat(100_000)}` } }] }).rows;
    expect(row).toMatchObject({ files_read: [expect.stringContaining('bytes in all')] });
  });

  it('titles a long command by its start', () => {
    const [row] = build({ parts: [{ ...tool, input: { command: `  \n${'a b  '.repeat(100_000)}` } }] }).rows;
    expect(row).toMatchObject({ title: expect.stringMatching(/^Bash: (?:a b )+/) });
  });
});

describe('keys and aliases', () => {
  it('fit into an index', () => {
    const long = 'k'.repeat(5_000);
    const event = build({ key: long, project: { path: `/${long}` } });
    expect(byteLength(event.key ?? '')).toBeLessThan(2_100);
    expect(event.project?.aliases.every((alias) => byteLength(alias) < 2_100)).toBe(true);
  });

  it('hold no credentials of a remote', () => {
    const event = build({ project: { remote: 'https://me:hunter2@h.example/o/r', path: '/x' } });
    expect(JSON.stringify(event)).not.toContain('hunter2');
  });
});

describe('previewOf', () => {
  it.each([
    ['one line', ' a\n\n b\tc ', 'a b c'],
    ['exactly the limit', 'x'.repeat(200), 'x'.repeat(200)],
    ['one more, without words', 'x'.repeat(201), `${'x'.repeat(199)}…`],
    ['cut at a word', 'word '.repeat(60), `${'word '.repeat(39).trim()}…`],
    ['nothing', '', ''],
  ])('%s', (_, text, preview) => {
    expect(previewOf(text)).toBe(preview);
  });

  it('never ends in half a character', () => {
    for (let start = 0; start < 3; start += 1) {
      const preview = previewOf(`${'x'.repeat(start)}${'😀'.repeat(300)}`);
      expect(preview.isWellFormed()).toBe(true);
      expect(preview.length).toBeLessThanOrEqual(200);
    }
  });
});

describe('isBoundary', () => {
  it.each<[string, EventPart, boolean]>([
    ['a prompt', { kind: 'prompt', type: 'user', content: 'x' }, true],
    ['a boundary', { kind: 'boundary', boundary: 'turn_end', reason: null }, true],
    ['a tool call', tool, false],
    ['a note', note, false],
  ])('%s', (_, part, boundary) => {
    expect(isBoundary(build({ parts: [part] }))).toBe(boundary);
    expect(isBoundary(build({ parts: [note, part] }))).toBe(boundary);
  });
});
