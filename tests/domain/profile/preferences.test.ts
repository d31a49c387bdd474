import { describe, expect, test } from 'vitest';
import { distilPreferences } from '../../../domain/profile/preferences.ts';
import type { PreferenceSource, ProfileEvidence } from '../../../domain/profile/profile.ts';
import { randomFrom, shuffled } from '../support/random.ts';

const at = (day: number) => new Date(Date.UTC(2026, 0, day));
const piece = (session: string, day: number, row = `row-${session}-${day}`): ProfileEvidence => ({
  rowId: row,
  sessionId: session,
  quote: `quoted in ${session}`,
  occurredAt: at(day),
});
const source = (id: string, text: string, more: Partial<PreferenceSource> = {}): PreferenceSource => ({
  learningId: id,
  category: 'best_practice',
  text,
  confidence: 0.7,
  verified: false,
  evidence: [piece('s1', 1)],
  ...more,
});

const SPACES = 'Always indent the sources with two spaces';
const TESTS = 'Write the tests before changing a function';

describe('preferences', () => {
  test('of nothing are none', () => {
    expect(distilPreferences([])).toEqual([]);
  });

  test('without a quote of the user are left out', () => {
    expect(distilPreferences([source('a', SPACES, { evidence: [] })])).toEqual([]);
  });

  test('joins equal preferences with the words of the most reliable one and all evidence', () => {
    const [line, ...rest] = distilPreferences([
      source('a', 'always indent our sources with two spaces', { evidence: [piece('s2', 4)] }),
      source('b', SPACES, { confidence: 0.9, evidence: [piece('s1', 2), piece('s1', 3)] }),
    ]);
    expect(rest).toEqual([]);
    expect(line).toMatchObject({
      text: SPACES,
      learningIds: ['b', 'a'],
      confidence: 0.9,
      sessions: 2,
      verified: false,
    });
    expect(line?.evidence.map((each) => each.occurredAt)).toEqual([at(4), at(3), at(2)]);
  });

  test('that share a few common words stay two', () => {
    const lines = distilPreferences([
      source('a', 'Use tabs'),
      source('b', 'Use spaces'),
      source('c', 'Never commit on Fridays after lunch'),
      source('d', 'Never deploy on Fridays after a holiday'),
    ]);
    expect(lines).toHaveLength(4);
  });

  test('orders by sessions, then verification, then confidence, then age', () => {
    const order = (...sources: PreferenceSource[]) => distilPreferences(sources).map((line) => line.text);
    const twice = source('z', SPACES, { confidence: 0.1, evidence: [piece('s1', 1), piece('s2', 2)] });
    expect(order(source('a', TESTS, { verified: true, confidence: 1 }), twice)).toEqual([SPACES, TESTS]);
    expect(order(source('a', TESTS, { confidence: 1 }), source('b', SPACES, { verified: true }))).toEqual([
      SPACES,
      TESTS,
    ]);
    expect(order(source('a', TESTS), source('b', SPACES, { confidence: 0.8 }))).toEqual([SPACES, TESTS]);
    expect(order(source('a', TESTS), source('b', SPACES, { evidence: [piece('s1', 9)] }))).toEqual([SPACES, TESTS]);
    expect(order(source('b', TESTS), source('a', SPACES))).toEqual([SPACES, TESTS]);
  });

  test('are at most 20 lines of three quotes, each row once', () => {
    const many = Array.from({ length: 40 }, (_, n) =>
      source(`l${String(n).padStart(2, '0')}`, `Rule alpha${n} beta${n} gamma${n} delta${n}`, {
        evidence: [1, 1, 2, 3, 4].map((day) => piece('s1', day)),
      }),
    );
    const lines = distilPreferences(many);
    expect(lines).toHaveLength(20);
    for (const line of lines) expect(line.evidence.map((each) => each.occurredAt)).toEqual([at(4), at(3), at(2)]);
  });

  test('are the same in whatever order their sources come', () => {
    const sources = [
      source('a', SPACES, { evidence: [piece('s1', 1), piece('s3', 5)] }),
      source('b', 'Indent sources with two spaces always', { confidence: 0.8, evidence: [piece('s2', 2)] }),
      source('c', TESTS, { verified: true }),
      source('d', '每次修改之前先写测试'),
      source('e', 'Commit messages are in the imperative'),
    ];
    const first = distilPreferences(sources);
    const random = randomFrom(7);
    for (let n = 0; n < 20; n += 1) expect(distilPreferences(shuffled(sources, random))).toEqual(first);
    expect(first).toHaveLength(4);
  });
});
