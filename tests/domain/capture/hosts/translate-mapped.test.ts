import { describe, expect, it } from 'vitest';
import { ZodError } from 'zod';
import { HOST_MAPPINGS, parseHostMapping } from '../../../../api/intake/host-mappings.ts';
import {
  boundedExtra,
  EXTRA_BYTES,
  extraFields,
  findText,
  findValue,
} from '../../../../domain/capture/hosts/mapping.ts';
import { patchedFiles, translateMapped, withSessionId } from '../../../../domain/capture/hosts/translate-mapped.ts';
import { processorMs } from '../../../setup/processor-time.ts';

const { cursor } = HOST_MAPPINGS;

describe('an event that no mapping names', () => {
  it('becomes an info observation with its own fields', () => {
    const body = { session_id: 's', conversation_id: 's', user_email: 'dev@example.com', tide: 'high' };
    expect(translateMapped(cursor, 'tideTurned', body, 'd1')).toMatchObject({
      host: 'cursor',
      key: 'd1',
      parts: [{ kind: 'note', event: 'tideTurned', type: 'info', title: 'tideTurned', content: { tide: 'high' } }],
    });
  });

  it.each(['constructor', 'toString', '__proto__'])('even one called %s', (event) => {
    expect(translateMapped(cursor, event, { session_id: 's' }, null)?.parts).toMatchObject([{ kind: 'note', event }]);
  });
});

describe('odd payloads', () => {
  it('a tool called like a property of every object is a tool like any other', () => {
    const body = { session_id: 's', tool_name: 'constructor', tool_input: { a: 1 }, tool_use_id: 't' };
    expect(translateMapped(cursor, 'postToolUse', body, null)?.parts).toMatchObject([
      { kind: 'tool', name: 'constructor', input: { a: 1 } },
    ]);
  });

  it.each([
    [-1, null],
    ['12', null],
    [Number.POSITIVE_INFINITY, null],
    [1e15, 2_147_483_647],
    [0.4, 0],
  ])('a duration of %s is stored as %s', (duration, durationMs) => {
    const body = { session_id: 's', command: 'ls', duration };
    expect(translateMapped(cursor, 'afterShellExecution', body, null)?.parts).toMatchObject([{ durationMs }]);
  });

  it('names of sub-agents are cut', () => {
    const body = { session_id: 's', subagent_id: 'x'.repeat(300), subagent_type: 'y', task: 'z' };
    expect(translateMapped(cursor, 'subagentStart', body, null)?.agent).toEqual({ id: 'x'.repeat(256), type: 'y' });
  });

  it('ignores a prompt without text', () => {
    expect(translateMapped(cursor, 'beforeSubmitPrompt', { session_id: 's', prompt: { a: 1 } }, null)).toBeNull();
  });
});

describe('withSessionId', () => {
  it('copies the host’s session id to the event, and leaves payloads without one unchanged', () => {
    expect(withSessionId(cursor, { conversation_id: 'c', session_id: 's' })).toMatchObject({ session_id: 'c' });
    expect(withSessionId(cursor, { session_id: 's' })).toEqual({ session_id: 's' });
    for (const none of [null, 'text', 7, undefined, {}]) expect(withSessionId(cursor, none)).toEqual(none);
    const list = [1];
    expect(withSessionId(cursor, list)).toBe(list);
  });
});

describe('values by path', () => {
  const payload = { a: { b: ['', 'x'] }, empty: '', zero: 0, none: null };

  it('are found by names and places, the first that is there', () => {
    expect(findValue(payload, ['missing', 'empty', 'none', 'a.b.0', 'a.b.1'])).toBe('x');
    expect(findValue(payload, ['zero'])).toBe(0);
    expect(findText(payload, ['zero', 'a', 'a.b.1'])).toBe('x');
    expect(findText(payload, [])).toBeNull();
  });

  it('are own values only', () => {
    expect(findValue(payload, ['constructor.name', 'a.b.length.x', '__proto__.toString'])).toBeUndefined();
  });
});

describe('patchedFiles', () => {
  it('reads headers alone, each file once', () => {
    const patch =
      '*** Update File: a.ts\n+*** Add File: not-a-header.ts\n  *** Delete File: b c.ts  \r\n*** Update File: a.ts';
    expect(patchedFiles(patch, null)).toEqual(['a.ts', 'b c.ts']);
  });

  it('puts relative paths under the folder, absolute ones of any system not', () => {
    const patch = '*** Add File: ./a.ts\n*** Add File: /b.ts\n*** Add File: C:\\c.ts';
    expect(patchedFiles(patch, '/src/')).toEqual(['/src/a.ts', '/b.ts', 'C:\\c.ts']);
  });

  it('stops at a hundred, and is quick on a line that only looks like a header', () => {
    const many = Array.from({ length: 500 }, (_, index) => `*** Add File: f${index}`).join('\n');
    expect(patchedFiles(many, null)).toHaveLength(100);
    const spentMs = processorMs(() => expect(patchedFiles(`*** Add File: ${' '.repeat(50_000)}`, null)).toEqual([]));
    expect(spentMs).toBeLessThan(500);
  });
});

describe('extra fields', () => {
  it('returns the unused fields; null if there are none', () => {
    expect(extraFields({ a: 1, b: undefined }, new Set(['a']))).toBeNull();
    expect(extraFields({ a: 1, b: null, c: { d: 2 } }, new Set(['a']))).toEqual({ b: null, c: { d: 2 } });
    const poisoned: Record<string, unknown> = JSON.parse('{"__proto__": {"x": 1}}');
    expect(Object.hasOwn(extraFields(poisoned, new Set()) ?? {}, '__proto__')).toBe(true);
  });

  it('are bounded field by field, with the names of the omitted ones', () => {
    const bounded = boundedExtra({ first: 'a', big: 'x'.repeat(EXTRA_BYTES), last: 'é'.repeat(10) });
    expect(bounded).toEqual({ first: 'a', last: 'é'.repeat(10), omitted_fields: ['big'] });
    expect(boundedExtra({ a: 1 })).toEqual({ a: 1 });
    const many = Object.fromEntries(Array.from({ length: 3000 }, (_, index) => [`name-${index}`, index]));
    expect(JSON.stringify(boundedExtra(many)).length).toBeLessThan(EXTRA_BYTES * 2);
  });
});

describe('a mapping file', () => {
  it.each([
    ['an event with a part of no kind', { events: { a: { parts: [{ kind: 'wish' }] } } }],
    ['a path that is none', { session: ['a..b'] }],
    ['an unread field', { sesion: ['a'] }],
    ['a boundary that is unknown', { events: { a: { parts: [{ kind: 'boundary', boundary: 'dusk', reason: [] }] } } }],
  ])('with %s is refused', (_what, fault) => {
    expect(() => parseHostMapping({ ...cursor, ...fault })).toThrow(ZodError);
    expect(parseHostMapping(cursor)).toEqual(cursor);
  });
});
