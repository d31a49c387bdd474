import { describe, expect, it } from 'vitest';
import { checkEvent, itemOf } from '../../../api/intake/check-event.ts';
import { asId } from '../../../domain/ids.ts';
import type { RowId, SessionId } from '../../../domain/ids.ts';
import { sqlError } from './capture-events.ts';

const MIB = 1024 * 1024;
const prompt = { type: 'prompt', session_id: 's1', content: 'hello' };

/** The event as it would be stored. */
function taken(value: unknown) {
  const checked = checkEvent(value, null);
  if (!('event' in checked)) throw new Error(`refused: ${checked.message}`);
  return checked.event;
}

describe('an event that may be stored', () => {
  it('has defaults for what it does not say', () => {
    expect(taken(prompt)).toEqual({
      host: 'generic',
      source: 'event',
      externalId: 's1',
      namespace: 'default',
      infer: true,
      project: null,
      key: null,
      occurredAt: null,
      agent: { id: null, type: null },
      model: null,
      metadata: null,
      parts: [{ kind: 'prompt', type: 'user', content: 'hello' }],
    });
  });

  it('retains all its fields', () => {
    const event = taken({
      ...prompt,
      host: 'my-agent',
      namespace: 'n',
      infer: false,
      key: 'k',
      role: 'assistant',
      occurred_at: '2026-01-02T03:04:05.678+02:00',
      project: { remote: 'git@h:o/r', path: '/p', name: 'r', machine_id: 'm' },
      agent: { id: 'a', type: null },
    });
    expect(event).toMatchObject({
      host: 'my-agent',
      namespace: 'n',
      infer: false,
      key: 'k',
      occurredAt: '2026-01-02T03:04:05.678+02:00',
      project: { remote: 'git@h:o/r', path: '/p', name: 'r', machineId: 'm' },
      agent: { id: 'a', type: null },
      parts: [{ kind: 'prompt', type: 'assistant' }],
    });
  });

  it.each([
    [
      { type: 'session.started', model: 'm' },
      { kind: 'boundary', boundary: 'session_start', reason: null },
    ],
    [{ type: 'turn.ended' }, { kind: 'boundary', boundary: 'turn_end', reason: null }],
    [
      { type: 'session.ended', reason: 'logout' },
      { kind: 'boundary', boundary: 'session_end', reason: 'logout' },
    ],
    [
      { type: 'boundary', reason: 'why' },
      { kind: 'boundary', boundary: 'other', reason: 'why' },
    ],
    [
      { type: 'observation', text: 'slow', level: 'warning', tags: ['a'], importance: 0.5 },
      { kind: 'note', event: 'observation', type: 'warning', title: '', content: 'slow', tags: ['a'], importance: 0.5 },
    ],
    [
      {
        type: 'observation',
        tool: { name: 'Bash', input: { command: 'ls' }, response: 'a', use_id: 'u', duration_ms: 7 },
      },
      {
        kind: 'tool',
        event: 'observation',
        name: 'Bash',
        input: { command: 'ls' },
        response: 'a',
        error: null,
        durationMs: 7,
        tags: [],
        importance: null,
      },
    ],
    [
      { type: 'observation', tool: { name: 'Bash', error: 'no' }, text: 'out' },
      { kind: 'tool', name: 'Bash', input: null, response: 'out', error: 'no' },
    ],
  ])('%j', (fields, part) => {
    expect(taken({ session_id: 's1', ...fields }).parts).toMatchObject([part]);
  });

  it.each([
    ['its own key', { key: 'k', tool: { name: 'T', use_id: 'u' } }, 'k'],
    ['else the tool use id', { tool: { name: 'T', use_id: 'u' } }, 'tool:u'],
    ['else none', { tool: { name: 'T' } }, null],
  ])('key: %s', (_, fields, key) => {
    expect(taken({ type: 'observation', session_id: 's1', ...fields }).key).toBe(key);
  });

  it('names the model of a session start', () => {
    expect(taken({ type: 'session.started', session_id: 's', model: 'opus' }).model).toBe('opus');
  });
});

// Single faults: tests/api/capture/events-bad-input.test.ts.
describe('an event that may not', () => {
  it.each([
    ['nothing', undefined, 'UNKNOWN_EVENT_TYPE', ['type']],
    ['text', 'prompt', 'UNKNOWN_EVENT_TYPE', ['type']],
    ['a type that is no text', { ...prompt, type: { toString: 'prompt' } }, 'UNKNOWN_EVENT_TYPE', ['type']],
    ['two faults', { ...prompt, session_id: 7, infer: 'yes' }, 'VALIDATION_FAILED', ['session_id', 'infer']],
  ])('%s', (_, value, code, fields) => {
    const checked = checkEvent(value, null);
    expect(checked).toMatchObject({ code });
    const named = 'details' in checked ? checked.details.map(({ field }) => field) : [];
    expect([...new Set(named)]).toEqual(fields);
  });

  it('is rejected with a reason that quotes none of its content', () => {
    const value = {
      ...prompt,
      type: 'hunter2',
      session_id: { hunter2: 1 },
      occurred_at: 'hunter2',
      role: 'hunter2',
      host: 'hunter2 !',
    };
    expect(JSON.stringify(checkEvent(value, null))).not.toContain('hunter2');
    expect(JSON.stringify(checkEvent({ ...value, type: 'prompt' }, null))).not.toContain('hunter2');
  });
});

describe('size', () => {
  const ofBytes = (bytes: number) => {
    const event = { type: 'observation', session_id: 's', tool: { name: 'T', response: '' } };
    return { ...event, tool: { name: 'T', response: 'x'.repeat(bytes - JSON.stringify(event).length) } };
  };

  it('may be a mebibyte exactly', () => {
    expect(checkEvent(ofBytes(MIB), null)).toHaveProperty('event');
    expect(checkEvent(ofBytes(MIB + 1), null)).toMatchObject({ code: 'EVENT_TOO_LARGE', details: [] });
  });

  it('counts bytes, not characters', () => {
    expect(checkEvent({ ...prompt, content: '时'.repeat(400_000) }, null)).toMatchObject({ code: 'EVENT_TOO_LARGE' });
  });

  it('is that of the line where it is known', () => {
    expect(checkEvent(prompt, MIB)).toHaveProperty('event');
    expect(checkEvent(prompt, MIB + 1)).toMatchObject({ code: 'EVENT_TOO_LARGE' });
  });

  it('comes before everything else', () => {
    expect(checkEvent('x'.repeat(2 * MIB), null)).toMatchObject({ code: 'EVENT_TOO_LARGE' });
  });

  it('is not computed for a value that is nested too deeply to be written', () => {
    const response: unknown = JSON.parse(`${'['.repeat(200_000)}${']'.repeat(200_000)}`);
    expect(checkEvent({ type: 'observation', session_id: 's', tool: { name: 'T', response } }, null)).toMatchObject({
      code: 'VALIDATION_FAILED',
    });
  });
});

describe('itemOf', () => {
  const outcome = { rowId: asId<RowId>('r'), seq: 3, sessionId: asId<SessionId>('s'), reason: null };
  const rejected = { ...outcome, status: 'rejected', rowId: null, seq: null } as const;

  it.each([
    ['accepted', { ...outcome, status: 'accepted' }, { status: 'accepted', id: 'r', code: null }],
    ['duplicate', { ...outcome, status: 'duplicate' }, { status: 'duplicate', id: 'r', code: null }],
    [
      'of a deleted session',
      { ...rejected, reason: 'deleted' },
      { status: 'rejected', id: null, code: 'SESSION_DELETED' },
    ],
    ['forgotten', { ...rejected, reason: 'forgotten' }, { status: 'rejected', id: null, code: 'EVENT_FORGOTTEN' }],
    [
      'not captured',
      { ...rejected, reason: 'capture_off' },
      { status: 'rejected', id: null, code: 'CAPTURE_DISABLED' },
    ],
    [
      'not stored because the store became unavailable',
      { status: 'failed', error: sqlError('57P01') },
      { status: 'rejected', id: null, code: 'STORAGE_UNAVAILABLE' },
    ],
    ['refused by the store', { status: 'refused' }, { status: 'rejected', id: null, code: 'EVENT_NOT_STORABLE' }],
    ['unanswered', undefined, { status: 'rejected', id: null, code: 'EVENT_NOT_STORABLE' }],
  ] as const)('%s', (_, result, item) => {
    expect(itemOf(7, result)).toMatchObject({ index: 7, ...item });
  });
});
