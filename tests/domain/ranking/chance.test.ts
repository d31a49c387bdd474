import { describe, expect, test } from 'vitest';
import { DEFAULT_CALIBRATION, MIDDLE } from '../../../domain/ranking/calibration.ts';
import { chancesOf, coverOf, evidenceOf, isRefused } from '../../../domain/ranking/chance.ts';
import type { Evidence } from '../../../domain/ranking/chance.ts';

const UNKNOWN: Evidence = { similarity: null, cover: null, agreement: null };
const SHARES = [0, 0.25, 0.5, 0.75, 1];
const found = (keyword: number | null, vector: number | null, score = 0.7) => ({
  keyword: keyword === null ? null : { rank: keyword },
  vector: vector === null ? null : { rank: vector, score },
});
const refused = (evidence: Evidence, language: 'en' | 'zh' | 'ja' = 'en') =>
  isRefused(chancesOf(evidence, DEFAULT_CALIBRATION), language, DEFAULT_CALIBRATION);

describe('chances', () => {
  test('are between 0 and 1, fall with the rank, and rise with all evidence', () => {
    const chances = SHARES.flatMap((similarity) =>
      SHARES.flatMap((cover) =>
        SHARES.map((agreement) => chancesOf({ similarity, cover, agreement }, DEFAULT_CALIBRATION)),
      ),
    );
    for (const { fits, ofRank } of chances) {
      const ofRanks = Array.from({ length: 100 }, (_, place) => ofRank(place + 1));
      for (const chance of [fits, ...ofRanks]) {
        expect(chance).toBeGreaterThanOrEqual(0);
        expect(chance).toBeLessThanOrEqual(1);
      }
      expect(ofRanks).toEqual(ofRanks.toSorted((a, b) => b - a));
    }
    const base = { similarity: 0.6, cover: 0.3, agreement: 0.1 };
    for (const name of ['similarity', 'cover', 'agreement'] as const) {
      const more = chancesOf({ ...base, [name]: base[name] + 0.1 }, DEFAULT_CALIBRATION);
      const less = chancesOf(base, DEFAULT_CALIBRATION);
      expect(more.fits).toBeGreaterThan(less.fits);
      expect(more.ofRank(1)).toBeGreaterThan(less.ofRank(1));
    }
  });

  test('count unknown evidence, and the similarity of a model without calibration, as the middle', () => {
    expect(chancesOf(UNKNOWN, DEFAULT_CALIBRATION).fits).toBe(chancesOf(MIDDLE, DEFAULT_CALIBRATION).fits);
    expect(chancesOf({ ...UNKNOWN, similarity: 0.95 }, null).fits).toBe(chancesOf(UNKNOWN, null).fits);
  });
});

describe('a query is refused', () => {
  test.each([
    ['if neither its meaning nor its terms are near', { similarity: 0.56, cover: 0, agreement: 0 }, true],
    ['not if all of its terms are in one memory', { similarity: 0.56, cover: 1, agreement: 0 }, false],
    ['not if a memory is near in other words', { similarity: 0.86, cover: 0.1, agreement: 0.2 }, false],
    ['without vectors, if few of its terms are found', { ...UNKNOWN, cover: 0.2 }, true],
    ['without vectors not, if half of its terms are found', { ...UNKNOWN, cover: 0.5 }, false],
  ])('%s', (_, evidence, isIt) => {
    expect(refused(evidence)).toBe(isIt);
    expect(refused(evidence, 'zh')).toBe(isIt);
  });

  test('in no language and for no model that was not calibrated', () => {
    const evidence = { similarity: 0, cover: 0, agreement: 0 };
    expect(refused(evidence, 'ja')).toBe(false);
    expect(isRefused(chancesOf(evidence, null), 'en', null)).toBe(false);
  });
});

describe('evidence', () => {
  test('is the highest similarity, and the share of ten that both retrievers found first', () => {
    const candidates = [found(1, 2), found(10, 10, 0.8), found(11, 3), found(2, null), found(null, 1)];
    expect(evidenceOf(candidates, 0.5, 'en')).toEqual({ similarity: 0.8, cover: 0.5, agreement: 0.2 });
    expect(evidenceOf(candidates, 0.5, 'zh')).toMatchObject({ similarity: null, agreement: 0.2 });
    expect(evidenceOf([found(1, null)], 0.5, 'en')).toEqual({ similarity: null, cover: 0.5, agreement: null });
  });

  test('of terms is the largest share of one text, from the start of words, pairs of Chinese characters', () => {
    expect(coverOf([], ['a text'])).toBeNull();
    expect(coverOf(['deploy', 'staging'], [])).toBe(0);
    expect(coverOf(['deploy', 'deploy', 'staging'], ['Deploying failed', 'a staging area'])).toBe(0.5);
    expect(coverOf(['stag'], ['hostage'])).toBe(0);
    expect(coverOf(['stag'], ['hostage on Staging'])).toBe(1);
    expect(coverOf(['迁移', '数据'], ['我们把数据库迁移了'])).toBe(1);
  });
});
