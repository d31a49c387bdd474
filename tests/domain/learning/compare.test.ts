import { describe, expect, test } from 'vitest';
import { isPlausible, judge, normalisedText, toCompared } from '../../../domain/learning/compare.ts';
import type { ComparedText } from '../../../domain/learning/compare.ts';
import type { LearningCategory } from '../../../domain/ports/model.ts';

const asIs = { likeness: (cosine: number) => cosine };

/** A two-dimensional unit vector with the given cosine to (1, 0). */
function at(cosine: number): Float32Array {
  return new Float32Array([cosine, Math.sqrt(1 - cosine * cosine)]);
}

function text(
  description: string,
  cosine: number | null = null,
  category: LearningCategory = 'best_practice',
): ComparedText {
  return toCompared({ category, title: '', description }, cosine === null ? null : at(cosine), asIs);
}

/** The known text has the vector (1, 0): the draft's index sets the similarity. */
function verdict(
  known: string,
  draft: string,
  cosine: number | null,
  categories?: [LearningCategory, LearningCategory],
) {
  return judge(text(draft, cosine, categories?.[1]), text(known, cosine === null ? null : 1, categories?.[0]));
}

describe('the same', () => {
  test.each([null, 0.2, 0.99])('is equal text whatever the vectors say (%s)', (cosine) => {
    expect(verdict('Run `npm test`, first!', 'run npm test first', cosine)).toBe('same');
  });

  test('is near-identical by embedding', () => {
    const known = 'The schema lives in prisma/schema.prisma and is changed by migrations';
    expect(verdict(known, 'Change the schema through a migration, Prisma manages it', 0.955)).toBe('same');
    expect(verdict(known, 'Change the schema through a migration, Prisma manages it', 0.9)).toBe('new');
  });

  test('needs most words in common just below that', () => {
    const known = 'Integration tests start a real database container before they run';
    expect(verdict(known, 'Integration tests start a real database container', 0.94)).toBe('same');
    expect(verdict(known, 'Acceptance checks boot an actual server image ahead of time', 0.94)).toBe('new');
  });

  test('without vectors needs four fifths of all words', () => {
    const known = 'Commit messages name the module that changed first';
    expect(verdict(known, 'Commit messages name the module that changed', null)).toBe('same');
    expect(verdict(known, 'Commit messages mention tickets', null)).toBe('new');
  });

  test('does not apply across categories, unless the texts are duplicates', () => {
    const [left, right] = ['The cache lives in redis', 'The cache lives in redis on port 1'];
    expect(verdict(left, right, 0.94, ['error', 'best_practice'])).toBe('new');
    expect(verdict(left, 'Redis contains the cache', 0.96, ['error', 'best_practice'])).toBe('same');
    expect(verdict(left, right, 0.94, ['config', 'general'])).toBe('same');
  });
});

describe('the opposite', () => {
  test.each([
    ['Always use tabs for indentation', 'Never use tabs for indentation'],
    ['Use npm for installing dependencies', 'Use pnpm instead of npm for dependencies'],
    ['The tests run on Windows', 'The tests no longer run on Windows'],
    ['Do not commit generated files', 'Commit generated files'],
    ['Commit directly to main', "Don't commit directly to main, open a pull request"],
    ['使用驼峰命名变量', '不要使用驼峰命名变量'],
  ])('is found though embeddings call it nearly one: %s / %s', (known, draft) => {
    expect(verdict(known, draft, 0.96)).toBe('contradicts');
    expect(verdict(draft, known, 0.96)).toBe('contradicts');
  });

  test.each([
    ['The request timeout is 30 seconds', 'The request timeout is 60 seconds'],
    ['`PORT=5432` is used by the test database', '`PORT=6432` is used by the test database'],
    ['The build needs Node 20', 'The build needs Node 22.1'],
    ['Webhooks are tried 3 times before they are dropped', 'Webhooks are tried 5 times before they are dropped'],
  ])('is another value for the same thing: %s / %s', (known, draft) => {
    expect(verdict(known, draft, 0.97)).toBe('contradicts');
  });

  test('is found by words without vectors', () => {
    expect(verdict('Always use tabs for indentation', 'Never use tabs for indentation', null)).toBe('contradicts');
  });

  test.each([
    // Both deny.
    ['Never push to main', 'Pushing to main is not allowed, never push to main', 0.94],
    // Another subject.
    ['Never push to main', 'Use tabs for indentation', 0.6],
    // One value more, and none changed.
    ['The request timeout is 30 seconds', 'The request timeout is 30 seconds, for uploads the limit is 5', 0.97],
    // "not X but Y" speaks for Y.
    ['Format with oxfmt', 'Format not with prettier but with oxfmt', 0.93],
  ])('is not: %s / %s', (known, draft, cosine) => {
    expect(verdict(known, draft, cosine)).not.toBe('contradicts');
  });

  test('is not read from long stories', () => {
    const story = Array.from({ length: 80 }, (_, n) => `word${String(n)}x`).join(' ');
    expect(verdict(`use tabs ${story}`, `never use tabs ${story}`, 0.93)).not.toBe('contradicts');
  });
});

describe('a refinement', () => {
  const known = 'Run the migrations before the tests';

  test('contains the known learning and more', () => {
    const draft =
      'Run the migrations before the tests with `npm run migrate`, because the template database is copied from them';
    expect(verdict(known, draft, 0.88)).toBe('refines');
    expect(verdict(known, draft, null)).toBe('refines');
    expect(verdict(known, draft, 0.8)).toBe('new');
  });

  test('is the same for a near subset of the known learning', () => {
    expect(verdict(`${known} with npm run migrate, because of templates`, known, 0.92)).toBe('same');
  });

  test('is the proven fix of a known error', () => {
    const error = text('`loadConfig` fails with ConfigError', 1, 'error');
    const fix = text('Setting the cache directory fixes the ConfigError of `loadConfig`', 0.87, 'solution');
    expect(judge(fix, error, true)).toBe('refines');
    expect(judge(fix, error, false)).toBe('new');
  });
});

describe('a model’s proposal', () => {
  const known = text('The worker retries failed batches of the `outbox` table', 1);

  test.each([
    ['same', 0.82, true],
    ['same', 0.7, false],
    ['refines', 0.76, true],
    ['contradicts', 0.66, true],
    ['contradicts', 0.4, false],
  ] as const)('%s at a cosine of %d: %s', (kind, cosine, plausible) => {
    expect(isPlausible(kind, text('Something that shares no word', cosine), known)).toBe(plausible);
  });

  test('accepts a common name despite distance, rejects a distant subject', () => {
    expect(isPlausible('same', text('`outbox` retries failed batches twice', 0.7), known)).toBe(true);
    expect(isPlausible('same', text('`outbox` is partitioned by month', 0.7), known)).toBe(false);
  });
});

test('normalised text is words alone, in any script', () => {
  expect(normalisedText('  Use  `pnpm`, NOT npm! ')).toBe('use pnpm not npm');
  expect(normalisedText('使用 pnpm，不要 npm。')).toBe('使用 pnpm 不要 npm');
});
