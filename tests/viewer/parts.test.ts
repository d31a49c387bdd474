import { describe, expect, test } from 'vitest';
import { ticksTo } from '../../viewer/parts/chart-scale.ts';
import { partsOf } from '../../viewer/parts/escaped.ts';
import { durationText, relativeTime } from '../../viewer/parts/times.ts';
import { findCommands } from '../../viewer/shell/find-commands.ts';
import { KeySequence } from '../../viewer/shell/key-bindings.ts';

describe('captured text', () => {
  const shown = (text: string, ranges?: { start: number; end: number }[]) =>
    partsOf(text, ranges)
      .map(({ text: part, kind }) => (kind === 'plain' ? part : kind === 'marked' ? `[${part}]` : `{${part}}`))
      .join('');

  test.each([
    ['tags as they are', '<img src=x onerror=alert(1)>', '<img src=x onerror=alert(1)>'],
    ['overrides of direction', 'a\u202Egpj.exe', 'a{U+202E}gpj.exe'],
    ['isolates', '\u2066x\u2069', '{U+2066}x{U+2069}'],
    ['control characters', 'a\u0000b\u001B[31m\u0007', 'a{U+0000}b{U+001B}[31m{U+0007}'],
    ['tabs and ends of lines', 'a\tb\r\nc\nd', 'a\tb\nc\nd'],
    ['invisible characters', 'a\u200Bb\uFEFFc\u3164', 'a{U+200B}b{U+FEFF}c{U+3164}'],
    ['joiners of emoji and scripts', '👩\u200D💻 می\u200Cخواهم', '👩\u200D💻 می\u200Cخواهم'],
    ['halves of pairs', 'a\uD800b', 'a{U+D800}b'],
  ])('shows %s', (_, text, expected) => {
    expect(shown(text)).toBe(expected);
  });

  test('highlights ranges, also overlapping ones and those beyond the end', () => {
    expect(shown('abcdef', [{ start: 1, end: 3 }])).toBe('a[bc]def');
    expect(
      shown('abcdef', [
        { start: 4, end: 99 },
        { start: 0, end: 2 },
        { start: 1, end: 3 },
      ]),
    ).toBe('[ab][c]d[ef]');
    expect(shown('a\u202Eb', [{ start: 0, end: 3 }])).toBe('[a]{U+202E}[b]');
    expect(
      shown('abc', [
        { start: 7, end: 9 },
        { start: 2, end: 1 },
      ]),
    ).toBe('abc');
  });
});

describe('times', () => {
  const now = Date.UTC(2026, 10, 25, 12);
  test.each([
    [now - 2_000, 'now'],
    [now + 2_000, 'now'],
    [now - 42_000, '42 seconds ago'],
    [now - 3_700_000, '1 hour ago'],
    [now - 86_400_000 * 40, 'last month'],
    // The clock of the server is ahead.
    [now + 7_000, 'now'],
    [now + 180_000, 'in 3 minutes'],
  ])('%d is %s', (at, words) => {
    expect(relativeTime(at, now, 'en-GB')).toBe(words);
  });
  test('are in the language of the viewer', () => {
    expect(relativeTime(now - 180_000, now, 'zh-CN')).toBe('3分钟前');
  });
  test.each([
    [420, '420 ms'],
    [95_000, '95 s'],
    [600_000, '10 min'],
    [8_640_000, '2.4 h'],
  ])('%d ms is %s', (ms, words) => {
    expect(durationText(ms)).toBe(words);
  });
});

describe('keys', () => {
  const press = (key: string, modifiers = {}) => ({ key, ctrlKey: false, metaKey: false, altKey: false, ...modifiers });
  const BINDINGS = ['g s', 'g l', 's', 'j', '?', 'Enter', 'Control+k'];
  const pressed = (keys: readonly string[], { singleKeys = true, pauseMs = 100 } = {}) => {
    const sequence = new KeySequence();
    return keys.map((key, index) => sequence.press(press(key), BINDINGS, index * pauseMs, singleKeys));
  };

  test('run single keys and sequences', () => {
    expect(pressed(['s', 'g', 's', 's', 'j', '?'])).toEqual(['s', null, 'g s', 's', 'j', '?']);
    expect(pressed(['g', 'j', 'g', 'g', 'l'])).toEqual([null, 'j', null, null, 'g l']);
  });
  test('forget the first key of a sequence after a while', () => {
    expect(pressed(['g', 's'], { pauseMs: 2_000 })).toEqual([null, 's']);
  });
  test('can be switched off; Control and Enter work on', () => {
    expect(pressed(['s', 'g', 's', 'Enter'], { singleKeys: false })).toEqual([null, null, null, 'Enter']);
    const withControl = press('k', { ctrlKey: true });
    expect(new KeySequence().press(withControl, BINDINGS, 0, false)).toBe('Control+k');
    expect(new KeySequence().press(press('s', { ctrlKey: true }), BINDINGS, 0, true)).toBeNull();
  });
});

test('finds commands by all words, those that begin with one first', () => {
  const commands = ['Go to Settings', 'Dark theme', 'Go to Sessions', 'Settings of the system'].map((text) => ({
    text,
  }));
  const found = (typed: string) => findCommands(commands, typed).map(({ text }) => text);
  expect(found('')).toHaveLength(4);
  expect(found('sess')).toEqual(['Go to Sessions']);
  expect(found('go se')).toEqual(['Go to Settings', 'Go to Sessions']);
  expect(found('settings')[0]).toBe('Settings of the system');
  expect(found('nothing')).toEqual([]);
  expect(findCommands([{ text: 'Data', words: 'backup restore' }], 'backup')).toHaveLength(1);
});

test.each([
  [0, [0, 1]],
  [3, [0, 1, 2, 3]],
  [97, [0, 25, 50, 75, 100]],
  [0.004, [0, 0.001, 0.002, 0.003, 0.004]],
])('a chart up to %d has the lines %j', (most, ticks) => {
  const found = ticksTo(most);
  expect(found).toHaveLength(ticks.length);
  for (const [index, tick] of ticks.entries()) expect(found[index]).toBeCloseTo(tick, 9);
});
