import { describe, expect, it } from 'vitest';
import { createScanner } from '../../../domain/redaction/scanner.ts';
import { scanText } from '../../../domain/redaction/text-scan.ts';
import { randomFrom } from '../support/random.ts';
import { SECRET_RULES } from '../../../domain/redaction/secret-rules.ts';

const scan = createScanner([
  { hints: ['abc'], anyCase: false },
  { hints: ['Key=', 'xyz'], anyCase: true },
  { hints: ['|pat??.'], anyCase: false },
  { hints: ['-us#', '##:aa'], anyCase: false },
  { hints: ['|ab_'], anyCase: false },
]);
const groups = (text: string) => scan(text).groups;

describe('hints', () => {
  it.each([
    ['alone', 'abc', [0]],
    ['at the end', 'x abc', [0]],
    ['twice is once', 'abcabc', [0]],
    ['in another case', 'aBc', []],
    ['in another case where that is the same', 'KEY= kEy=', [1]],
    ['either of two', 'XYZ', [1]],
    ['any character', 'pat12. ', [2]],
    ['too many characters between', 'pat123.', []],
    ['at the end of the text, cut off', 'pat1', []],
    ['not at the beginning of a word', 'xpat12.', []],
    ['behind a dash', '-pat12.', [2]],
    ['behind a letter that is not ASCII', 'épat12.', [2]],
    ['a digit', 'a-us7', [3]],
    ['the first digit', 'a-us0', [3]],
    ['the last digit', 'a-us9', [3]],
    ['no digit', 'a-usx', []],
    ['digits first', '12:aa', [3]],
    ['an underscore', 'ab_', [4]],
    ['inside a name', 'c_ab_', []],
    ['several, in order', 'ab_ 12:aa pat12. key= abc', [0, 1, 2, 3, 4]],
    ['none', 'nothing of it', []],
    ['nothing', '', []],
  ])('%s', (_, text, expected) => {
    expect(groups(text)).toEqual(expected);
  });

  it.each(['a', 'z', 'A', 'Z', '0', '9', '_'])('%j before a hint continues a word', (before) => {
    expect(groups(`${before}ab_`)).toEqual([]);
  });

  it.each(['`', '{', '@', '[', '/', ':', '-'])('%j before a hint ends a word', (before) => {
    expect(groups(`${before}ab_`)).toEqual([4]);
  });

  it.each(['ab', '', '|ab', 'a?b?c', '??#?'])('%j is none', (hint) => {
    expect(() => createScanner([{ hints: [hint], anyCase: false }])).toThrow(RangeError);
  });
});

describe('numbers', () => {
  it.each([
    ['nine digits', '123456789', true],
    ['eight digits', '12345678', false],
    ['with separators', '+1 (234) 567-89', true],
    ['in groups', '4111 1111 1111 1111', true],
    ['in groups with three separators', '123 - 456 - 789', true],
    ['in groups with four separators', '123 -- 456 -- 789', false],
    ['with letters between', '1234a56789', false],
    ['in a hash', '3f786850e387550fdab836ed7e6dc881de23001b', false],
    ['in two numbers', '1234567, 89', false],
    ['after others', 'a1b2c3d4e5f6 and 123 456 789', true],
  ])('%s', (_, text, expected) => {
    expect(scan(text).longNumber).toBe(expected);
  });

  it.each([
    ['1.2.3.4', true, false],
    ['255.255.255.255', true, false],
    ['1.2.3', false, false],
    ['a. sentence. here. now', false, false],
    ['2001:db8::1', false, true],
    ['2a00:1450:4001:1000:2000:3000:4000:5000', false, true],
    ['12:30:45', false, false],
  ])('addresses: %s', (text, ipv4, ipv6) => {
    expect(scan(text)).toMatchObject({ ipv4, ipv6 });
  });

  it('six characters between two dots', () => {
    expect(scan('a.123456.b').sixBetweenDots).toBe(true);
    expect(scan('a.12345.b').sixBetweenDots).toBe(false);
    expect(scan('a.1234567.b').sixBetweenDots).toBe(false);
  });
});

describe('the pass over real rules', () => {
  it('never omits a matching rule, whatever surrounds the match', () => {
    const random = randomFrom(11);
    let matched = 0;
    const pieces = SECRET_RULES.flatMap((rule) =>
      rule.hints.map((hint) => hint.replaceAll('#', '7').replace('|', ' ').replaceAll('?', 'p')),
    );
    for (let round = 0; round < 300; round += 1) {
      const text = Array.from({ length: 6 }, () => {
        const piece = pieces[Math.floor(random() * pieces.length)] ?? '';
        return `${piece}${'aZ9_-./=:"\' x'.charAt(Math.floor(random() * 13)).repeat(Math.floor(random() * 60))}`;
      }).join('');
      const matching = [...SECRET_RULES.keys()].filter((at) => text.search(SECRET_RULES[at]?.pattern ?? /$^/) >= 0);
      const { rules } = scanText(text);
      expect({ text, leftOut: matching.filter((at) => !rules.includes(at)) }).toEqual({ text, leftOut: [] });
      matched += matching.length;
    }
    expect(matched).toBeGreaterThan(50);
  });

  it('finds nothing in prose and code', () => {
    const text = 'export function add(one: number, other: number): number {\n  return one + other; // the sum\n}\n';
    expect(scanText(text)).toEqual({
      tags: false,
      privateKeys: false,
      marks: false,
      rules: [],
      personal: { longNumber: false, ipv4: false, ipv6: false, named: [] },
    });
  });
});
