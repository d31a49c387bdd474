import { describe, expect, it } from 'vitest';
import { instantOf, readHookPayload } from '../../../domain/capture/hook-payload.ts';

const good = { session_id: 's1', cwd: '/src', timestamp: '2026-01-02T03:04:05Z', event_id: 'e1', prompt: null };

describe('common hook fields', () => {
  it('are unchanged if valid', () => {
    expect(readHookPayload(good)).toBe(good);
  });

  it.each([null, ''])('is absent without a fault for %j', (nothing) => {
    const names = ['cwd', 'hook_event_name', 'agent_id', 'agent_type', 'timestamp', 'event_id', 'root', 'git_remote'];
    const read = readHookPayload({ ...good, ...Object.fromEntries(names.map((name) => [name, nothing])) });
    for (const name of names) expect(read[name]).toBeUndefined();
    expect(read).toMatchObject({ session_id: 's1', prompt: null });
    expect(read).not.toHaveProperty('not_understood');
  });

  it.each<[string, unknown]>([
    ['cwd', ['/src']],
    ['cwd', 'x'.repeat(4097)],
    ['hook_event_name', 1],
    ['agent_id', {}],
    ['agent_type', false],
    ['timestamp', 'yesterday'],
    ['timestamp', '0000-01-01T00:00:00Z'],
    ['event_id', 7],
    ['root', 7],
    ['git_remote', 'x'.repeat(2049)],
    ['machine_id', []],
    ['repository', true],
  ])('are dropped and stored as extra if malformed: %s %#', (name, value) => {
    const read = readHookPayload({ ...good, [name]: value });
    expect(read[name]).toBeUndefined();
    expect(read['not_understood']).toEqual({ [name]: value });
  });

  it('truncates long names but not the delivery id, which is hashed', () => {
    const long = 'é'.repeat(300);
    expect(readHookPayload({ ...good, agent_type: long, agent_id: long, event_id: long })).toEqual({
      ...good,
      agent_type: 'é'.repeat(256),
      agent_id: 'é'.repeat(256),
      event_id: long,
    });
  });
});

describe('a moment', () => {
  it.each<[unknown, string]>([
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z'],
    ['2026-01-02T03:04:05.123456+05:30', '2026-01-02T03:04:05.123456+05:30'],
    ['2026-01-02T03:04:05', '2026-01-02T03:04:05Z'],
    ['2026-01-02 03:04:05.5', '2026-01-02T03:04:05.5Z'],
    ['2026-01-02T03:04', '2026-01-02T03:04:00Z'],
    ['2026-01-02t03:04:05z', '2026-01-02T03:04:05Z'],
    ['2026-01-02T03:04:05-0800', '2026-01-02T03:04:05-08:00'],
    [1_767_323_045_678, '2026-01-02T03:04:05.678Z'],
    [1_767_323_045, '2026-01-02T03:04:05.000Z'],
    [1_767_323_045.25, '2026-01-02T03:04:05.250Z'],
  ])('becomes %j', (given, moment) => {
    expect(instantOf(given)).toBe(moment);
  });

  it.each([
    'yesterday',
    '2026-01-02',
    '2026-13-02T03:04:05Z',
    '2026-02-30T03:04:05Z',
    '2026-01-02T25:04:05Z',
    '0000-01-01T00:00:00Z',
    '2026-01-02T03:04:05+16:00',
    '1767323045',
    0,
    -1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    1e20,
    true,
    {},
    `2026-01-02T03:04:05Z${' '.repeat(1_000)}`,
  ])('rejects %j', (given) => {
    expect(instantOf(given)).toBeNull();
  });
});
