import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Tiktoken } from 'tiktoken/lite';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { createTokenCounter, estimateTokens } from '../../../models/tokens/token-counter.ts';
import { processorMs } from '../../setup/processor-time.ts';

const counter = createTokenCounter();
let oracle: Tiktoken;

beforeAll(() => {
  const path = createRequire(import.meta.url).resolve('tiktoken/encoders/o200k_base.json');
  const file = z.object({ bpe_ranks: z.string(), pat_str: z.string() }).parse(JSON.parse(readFileSync(path, 'utf8')));
  oracle = new Tiktoken(file.bpe_ranks, {}, file.pat_str);
});
afterAll(() => oracle.free());

const expected = (text: string): number => oracle.encode_ordinary(text).length;

/** Repeatable pseudo-random integers below `bound`. */
function sequence(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fff_ffff;
    return state % bound;
  };
}

/** Prose, code, controls, odd white space, accents, ideographs, emoji and halves of surrogate pairs in one line. */
function jumble(next: (bound: number) => number): string {
  const odd = [' ', '\n', '\r\n', '\t', '\u0085', '\ufeff', '\u2028', "'s", "'ſ", '/', '   ', '\n\n'];
  const parts = Array.from({ length: next(40) }, () => {
    const kind = next(8);
    if (kind < 3) return String.fromCodePoint(32 + next(95));
    if (kind === 3) return odd[next(odd.length)] ?? '';
    if (kind === 4) return String.fromCodePoint(0xa0 + next(0x2000));
    if (kind === 5) return String.fromCodePoint(0x3000 + next(0x6000));
    if (kind === 6) return String.fromCodePoint(0x1_f300 + next(0x400));
    return String.fromCharCode(next(0x1_0000));
  });
  return parts.join('');
}

describe('counting agrees with the tiktoken package', () => {
  const samples = [
    '',
    'a',
    'Fix the flaky retry in src/queue/useMemo.ts, snake_case_name and HTTPServer2.',
    '\tif (x === 12345678) {\r\n\t\treturn `${y}`;\r\n\t}\n\n\n',
    "I'm you'll WE'VE it'S",
    '把记忆放回下一次会话里。日本語のテキストと、カタカナ。',
    'Ünïcödé ﬁne e\u0301 Привет नमस्ते ไทย',
    '👩‍👩‍👧‍👦 ok 🇩🇪',
    '   leading and trailing   ',
    '<|endoftext|> and <|endofprompt|> are ordinary',
    'half \ud83d of an emoji, and the other \ude00 half',
    '\u0000\u0001\u007f',
    // White space in Rust's eyes or in JavaScript's, not in both.
    '\ufeff\ufeff',
    '\ufeff\ufeffa',
    ' \u0085\u0085a',
  ];

  test.each(samples)('%j', (text) => {
    expect(counter.count(text)).toBe(expected(text));
  });

  test('a thousand jumbled lines', () => {
    const next = sequence(7);
    const lines = Array.from({ length: 1_000 }, () => jumble(next));
    expect(counter.countMany(lines)).toEqual(lines.map(expected));
  });

  test('prose longer than one slice is counted without an error at the seams', () => {
    const next = sequence(11);
    const words = Array.from(
      { length: 60_000 },
      () => ['the', 'useMemo()', '中文字', '42', 'x/y\n', '\n\n'][next(6)] ?? '',
    );
    const text = words.join(' ');
    expect(text.length).toBeGreaterThan(3 * 65_536);
    expect(counter.count(text)).toBe(expected(text));
  });
});

describe('long runs', () => {
  test('special-token text is counted as the text it is', () => {
    expect(counter.count('<|endoftext|>')).toBe(7);
  });

  test.each(['a', ' ', '\n', '=', '中', '😀', 'ab1'])('100,000 × %j is not quadratic', (unit) => {
    const text = unit.repeat(100_000);
    const spentMs = processorMs(() => expect(counter.count(text)).toBeGreaterThan(0));
    // Quadratic merging takes 6 s for the first of these and more than a minute for the last but one.
    expect(spentMs).toBeLessThan(1_500);
  });

  test('a run without a boundary over-counts by a few tokens a slice at most', () => {
    // Random letters, 20 slices long: tiktoken itself would need minutes, so its count is taken over the pieces we cut.
    const next = sequence(3);
    const text = Array.from({ length: 65_536 * 2 }, () => String.fromCharCode(97 + next(26))).join('');
    const halves = counter.count(text.slice(0, 65_536)) + counter.count(text.slice(65_536));
    expect(counter.count(text)).toBe(halves);
    const short = text.slice(0, 4_000);
    expect(counter.count(short)).toBe(expected(short));
    expect(expected(short.slice(0, 2_000)) + expected(short.slice(2_000)) - expected(short)).toBeLessThanOrEqual(4);
  });
});

describe('truncate', () => {
  test('returns a text that fits unchanged, even a malformed one', () => {
    expect(counter.truncate('a b c', 3)).toBe('a b c');
    expect(counter.truncate('x\ud83d', 10)).toBe('x\ud83d');
  });

  test('returns the longest prefix of plain words', () => {
    expect(counter.truncate('one two three four', 2)).toBe('one two');
  });

  test.each([0, -1])('%i tokens leave nothing', (maxTokens) => {
    expect(counter.truncate('one', maxTokens)).toBe('');
  });

  test('is a prefix within the bound that splits no character, for every bound', () => {
    const next = sequence(23);
    for (let round = 0; round < 150; round += 1) {
      const text = jumble(next).toWellFormed();
      const maxTokens = 1 + next(30);
      const cut = counter.truncate(text, maxTokens);
      expect(text.startsWith(cut)).toBe(true);
      expect(cut.isWellFormed()).toBe(true);
      expect(expected(cut)).toBeLessThanOrEqual(maxTokens);
      expect(cut === text).toBe(expected(text) <= maxTokens);
    }
  });

  test('cuts within a piece that is longer than the bound', () => {
    const cut = counter.truncate('中'.repeat(50), 5);
    expect(cut.length).toBeGreaterThan(0);
    expect(expected(cut)).toBeLessThanOrEqual(5);
    expect(counter.truncate('a'.repeat(100_000), 100).length).toBe(800);
  });

  test('does not read on after the bound', () => {
    const text = 'word '.repeat(2_000_000);
    const spentMs = processorMs(() => expect(counter.count(counter.truncate(text, 50))).toBe(50));
    expect(spentMs).toBeLessThan(500);
  });
});

describe('estimateTokens', () => {
  test.each([
    ['', 0],
    ['a', 1],
    ['abcd', 1],
    ['abcde', 2],
    ['中中', 2],
    [0, 0],
    [4_097, 1_025],
  ])('%j → %i', (input, tokens) => {
    expect(estimateTokens(input)).toBe(tokens);
  });
});
