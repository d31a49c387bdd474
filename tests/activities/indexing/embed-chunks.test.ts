import { expect, test } from 'vitest';
import { guessTokens, tokenBatches } from '../../../activities/indexing/embed-chunks.ts';

const wanted = (text: string) => ({ hash: text, text, stored: null });

test('estimates tokens by characters, one each for scripts without an alphabet', () => {
  expect(guessTokens('a text of words')).toBe(6);
  expect(guessTokens('数据库连接')).toBe(7);
});

test('batches all texts by tokens, the first ones first, each batch sorted by length', () => {
  const texts = Array.from({ length: 200 }, (_, n) => 'x'.repeat((n * 37) % 400));
  const batches = tokenBatches(texts.map(wanted), 500);
  let from = 0;
  for (const batch of batches) {
    const own = texts.slice(from, (from += batch.length));
    expect(batch.map(({ text }) => text)).toEqual(own.toSorted((a, b) => a.length - b.length));
    expect(batch.reduce((sum, { text }) => sum + guessTokens(text), 0)).toBeLessThanOrEqual(500);
  }
  expect(from).toBe(texts.length);
  expect(new Set(batches.map((batch) => batch.length)).size).toBeGreaterThan(2);
  // A chunk that exceeds every batch is sent alone.
  expect(tokenBatches([wanted('y'.repeat(9_000)), wanted('short')], 500).map((batch) => batch.length)).toEqual([1, 1]);
});
