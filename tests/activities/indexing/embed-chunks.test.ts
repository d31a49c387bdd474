import { expect, test } from 'vitest';
import { guessTokens, tokenBatches } from '../../../activities/indexing/embed-chunks.ts';

const wanted = (text: string) => ({ hash: text, text });

test('estimates tokens by characters, one each for scripts without an alphabet', () => {
  expect(guessTokens('a text of words')).toBe(6);
  expect(guessTokens('数据库连接')).toBe(7);
});

test('batches all texts by tokens, sorted by length', () => {
  const texts = Array.from({ length: 200 }, (_, n) => 'x'.repeat((n * 37) % 400));
  const batches = tokenBatches(texts.map(wanted), 500);
  expect(batches.flat().map(({ text }) => text)).toEqual(texts.toSorted((a, b) => a.length - b.length));
  for (const batch of batches)
    expect(batch.reduce((sum, { text }) => sum + guessTokens(text), 0)).toBeLessThanOrEqual(500);
  expect(new Set(batches.map((batch) => batch.length)).size).toBeGreaterThan(2);
  // A chunk that exceeds every batch is sent alone.
  expect(tokenBatches([wanted('y'.repeat(9_000)), wanted('short')], 500).map((batch) => batch.length)).toEqual([1, 1]);
});
