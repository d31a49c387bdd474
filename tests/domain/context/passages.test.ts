import { describe, expect, it } from 'vitest';
import { passagesOf, termsInParts, termWeights } from '../../../domain/context/passages.ts';
import { passageRelevance, placeWeight, termCover } from '../../../domain/context/relevance.ts';
import { randomFrom, randomText } from '../support/random.ts';

const textsOf = (text: string): string[] => passagesOf(text).map((passage) => passage.text);
const long = (word: string, times: number): string => `${`${word} `.repeat(times).trim()}.`;

describe('a text is cut into passages', () => {
  it.each<[string, string, string[]]>([
    ['nothing', ' \n\t\n', []],
    ['short lines together', '$ npm test\n\n12 passed\n0 failed', ['$ npm test 12 passed 0 failed']],
    [
      'lines that would be too long together apart',
      `${'a'.repeat(80)}\n${'b'.repeat(80)}`,
      ['a'.repeat(80), 'b'.repeat(80)],
    ],
    ['the sentences of a long line', `${long('one', 40)} ${long('Two', 40)}`, [long('one', 40), long('Two', 40)]],
    ['white space collapsed', 'a   b\t c\r\n   d', ['a b c d']],
  ])('%s', (_, text, passages) => {
    expect(textsOf(text)).toEqual(passages);
  });

  it('have at most 240 characters, cut at words if possible, never inside a character', () => {
    for (const text of ['word '.repeat(500), '时'.repeat(900), `x${'😀'.repeat(700)}`, `${'y'.repeat(700)} z`]) {
      const passages = textsOf(text);
      expect(Math.max(...passages.map((passage) => passage.length))).toBeLessThanOrEqual(241);
      expect(passages.every((passage) => passage.isWellFormed())).toBe(true);
      expect(passages.join('').replaceAll(' ', '')).toBe(text.replaceAll(' ', ''));
    }
    expect(textsOf('word '.repeat(100)).every((passage) => passage.endsWith('word'))).toBe(true);
  });

  it('in their order, of any text', () => {
    const random = randomFrom(4);
    for (let round = 0; round < 200; round += 1) {
      const text = randomText(random, 400).toWellFormed();
      const passages = passagesOf(text);
      expect(passages.map((passage) => passage.place)).toEqual(passages.map((_, n) => n));
      expect(
        passages
          .map((passage) => passage.text)
          .join('')
          .replaceAll(/\s/gu, ''),
      ).toBe(text.replaceAll(/\s/gu, ''));
    }
  });

  it('from the head and the tail of a long one', () => {
    const passages = textsOf(`first\n${'middle of it\n'.repeat(10_000)}last`);
    expect(passages[0]).toContain('first');
    expect(passages.at(-1)).toContain('last');
    expect(passages.join('').length).toBeLessThan(16_100);
  });
});

describe('relevance', () => {
  const passages = passagesOf(
    [
      'The build was red all day because of the clock.',
      'We pinned the clock in the tests.',
      'Lunch was good and long, with soup and bread.',
      'No one spoke of the weather at all that day.',
    ]
      .map((line) => line.padEnd(100, '.'))
      .join('\n'),
  );

  it('weights rare terms higher than frequent ones', () => {
    const weights = termWeights('clock day soup', [passages]);
    expect(weights.get('soup')).toBeGreaterThan(weights.get('clock') ?? Infinity);
    expect(termWeights('the of and', [passages]).size).toBe(0);
  });

  it('ranks passages with the query’s words first, then the first passage and neighbours', () => {
    const lines = [
      'Nothing to see in this line at all, it is only here to be long enough to stand alone.',
      'pinned clock: this is the requested line, long enough to be used alone as well.',
      'Beside it is what was meant, in other words, and again it is long enough for it.',
      'And much later there is something else, which has nothing to do with the request.',
      'The very last one has nothing to do with it either, and there is no line behind it.',
    ];
    const [relevance = []] = passageRelevance('pinned clock', [{ score: 1, passages: passagesOf(lines.join('\n')) }]);
    const [before, match, beside, far, last] = relevance;
    expect(relevance).toHaveLength(5);
    expect(match).toBeGreaterThan(beside ?? 1);
    expect(before).toBeGreaterThan(beside ?? 1);
    expect(beside).toBeGreaterThan(far ?? 1);
    expect(far).toBe(last);
    expect(last).toBeGreaterThan(0);
    expect(match).toBeLessThanOrEqual(1);
  });

  it('falls with the place in the search and with the score', () => {
    expect(placeWeight(0.9, 0.9, 0)).toBe(1);
    expect(placeWeight(0.9, 0.9, 10)).toBeCloseTo(0.4, 10);
    expect(placeWeight(0.225, 0.9, 0)).toBeCloseTo(0.5, 10);
    expect(placeWeight(0, 0, 0)).toBe(0);
    const same = { passages };
    const [[first = 0] = [], [second = 0] = []] = passageRelevance('clock', [
      { score: 1, ...same },
      { score: 0.5, ...same },
    ]);
    expect(first).toBeGreaterThan(second);
  });

  it('of nothing is nothing', () => {
    expect(passageRelevance('clock', [])).toEqual([]);
    expect(passageRelevance('clock', [{ score: 1, passages: [] }])).toEqual([[]]);
  });
});

it.each([
  ['src/money/round.ts', ['src/money/round.ts', 'src', 'money', 'round', 'ts']],
  ['useMemo', ['usememo', 'memo']],
  ['snake_case_name', ['snake_case_name', 'snake', 'case', 'name']],
  ['One sentence. Another sentence.', ['sentence', 'another']],
])('terms of %s come with their parts', (text, terms) => {
  expect([...termsInParts(text)]).toEqual(terms);
});

describe('cover', () => {
  it.each([
    [['deploy', 'job'], 'We deployed the job', 1],
    [['deploy', 'job'], 'We deployed', 0.5],
    [['deploy'], 'nothing', 0],
    [[], 'anything', 0],
  ])('of %j in %j is %d', (terms, text, share) => {
    expect(termCover(terms, text)).toBe(share);
  });
});
