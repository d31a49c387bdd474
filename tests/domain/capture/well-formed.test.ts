import { describe, expect, it } from 'vitest';
import {
  byteLength,
  charsIn,
  cutMiddle,
  estimateTokens,
  indexable,
  VALUE_LIMIT_BYTES,
  wellFormed,
} from '../../../domain/capture/well-formed.ts';
import { randomFrom, randomText } from '../support/random.ts';

const HIGH = '\uD83D';
const LOW = '\uDE00';

describe('wellFormed', () => {
  it.each([
    ['NUL', 'a\u0000b\u0000', 'a\uFFFDb\uFFFD'],
    ['the first half of a pair', `a${HIGH}`, 'a\uFFFD'],
    ['the second half of a pair', `${LOW}a`, '\uFFFDa'],
    ['halves in the wrong order', `${LOW}${HIGH}`, '\uFFFD\uFFFD'],
    ['both kinds at once', `\u0000${HIGH}x`, '\uFFFD\uFFFDx'],
    ['a complete pair', `${HIGH}${LOW}`, '😀'],
    ['other control characters', 'a\u0001\u001B\t\r\nb', 'a\u0001\u001B\t\r\nb'],
    ['nothing', '', ''],
  ])('%s', (_, text, expected) => {
    expect(wellFormed(text)).toBe(expected);
  });
});

describe('estimateTokens', () => {
  it.each([
    ['', 0],
    ['a', 1],
    ['abcd', 1],
    ['abcde', 2],
    ['时区', 2],
    ['😀', 1],
  ])('of %j is bytes ÷ 4, rounded up', (text, tokens) => {
    expect(estimateTokens(text)).toBe(tokens);
  });
});

describe('cutMiddle', () => {
  it('leaves a text alone up to the very limit', () => {
    const ascii = 'x'.repeat(VALUE_LIMIT_BYTES);
    expect(cutMiddle(ascii)).toBe(ascii);
    const wide = '时'.repeat(100);
    expect(cutMiddle(wide, 300)).toBe(wide);
  });

  it('cuts a text one byte over the limit, retains both ends and notes the full size', () => {
    const text = `HEAD${'x'.repeat(VALUE_LIMIT_BYTES - 7)}TAIL`;
    const cut = cutMiddle(text);
    expect(byteLength(text)).toBe(VALUE_LIMIT_BYTES + 1);
    expect(byteLength(cut)).toBeLessThanOrEqual(VALUE_LIMIT_BYTES);
    expect(cut).toMatch(/^HEADx+\n… 65537 bytes in all, the middle is left out …\nx+TAIL$/);
  });

  it.each([
    ['two bytes', 'é'],
    ['three bytes', '时'],
    ['four bytes', '😀'],
  ])('never cuts a character of %s in half, wherever the limit falls', (_, character) => {
    const text = character.repeat(300);
    for (let limit = 200; limit < 216; limit += 1) {
      const cut = cutMiddle(text, limit);
      expect(cut.isWellFormed()).toBe(true);
      expect(cut).not.toContain('\uFFFD');
      expect(byteLength(cut)).toBeLessThanOrEqual(limit);
      // Not more is lost than a character at each side of the note.
      expect(byteLength(cut)).toBeGreaterThan(limit - 2 * byteLength(character) - 2);
    }
  });

  it('never splits an emoji at the cut', () => {
    for (let before = 0; before < 8; before += 1) {
      const text = `${'x'.repeat(VALUE_LIMIT_BYTES / 2 - 60 + before)}${'😀'.repeat(40)}${'y'.repeat(VALUE_LIMIT_BYTES)}`;
      const cut = cutMiddle(wellFormed(text));
      expect(cut).toMatch(/^x+(?:😀)*\n… \d+ bytes in all, the middle is left out …\ny+$/u);
      expect(cut.isWellFormed()).toBe(true);
    }
  });

  it('half an emoji at the very cut becomes a replacement character, not half of one', () => {
    for (let before = 0; before < 8; before += 1) {
      const text = `${'x'.repeat(VALUE_LIMIT_BYTES / 2 - 60 + before)}${HIGH.repeat(40)}${'y'.repeat(VALUE_LIMIT_BYTES)}`;
      expect(cutMiddle(wellFormed(text))).toMatch(/^x+\uFFFD*\n… \d+ bytes in all/u);
    }
  });

  it('names the stored full value within the limit', () => {
    const sha256 = 'ab'.repeat(32);
    const cut = cutMiddle('x'.repeat(1_000), 500, sha256);
    expect(cut).toMatch(/^x+\n… 1000 bytes in all \(sha256:(?:ab){32}\), the middle is left out …\nx+$/);
    expect(byteLength(cut)).toBeLessThanOrEqual(500);
  });

  it('is within the limit and well-formed for any well-formed text and limit', () => {
    const random = randomFrom(7);
    for (let round = 0; round < 400; round += 1) {
      const text = wellFormed(randomText(random, 400));
      const limit = 100 + Math.floor(random() * 500);
      const cut = cutMiddle(text, limit);
      expect(byteLength(cut)).toBeLessThanOrEqual(limit);
      expect(cut.isWellFormed()).toBe(true);
      expect(cut === text).toBe(byteLength(text) <= limit);
    }
  });
});

describe('indexable', () => {
  it('leaves names that fit into an index unchanged, to the byte', () => {
    const fits = '/'.repeat(2_048);
    expect(indexable(fits)).toBe(fits);
    expect(indexable(`${fits}x`)).not.toBe(`${fits}x`);
  });

  it('maps long names to distinct, short, well-formed ones', () => {
    const start = `${'a'.repeat(127)}😀`;
    const one = indexable(`${start}${'x'.repeat(4_000)}1`);
    const other = indexable(`${start}${'x'.repeat(4_000)}2`);
    expect(one).not.toBe(other);
    expect(one).toBe(indexable(`${start}${'x'.repeat(4_000)}1`));
    expect(one.isWellFormed()).toBe(true);
    expect(byteLength(one)).toBeLessThan(600);
  });

  it('replaces separators of joined names', () => {
    expect(indexable('a\u001fb\u001fc')).toBe('a\uFFFDb\uFFFDc');
  });
});

describe('charsIn', () => {
  it.each<[unknown, number]>([
    ['abc', 3],
    [null, 1],
    [12345, 1],
    [{ name: 'abc' }, 7],
    [['a', 'bc'], 5],
    [{ a: [{ b: 'cd' }, true] }, 7],
    [{}, 0],
  ])('of %j is %i', (value, chars) => {
    expect(charsIn(value)).toBe(chars);
  });
});
