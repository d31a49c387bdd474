import { expect, test } from 'vitest';
import { createTokenCounter } from '../../models/tokens/token-counter.ts';
import { measureFalseHits } from '../bench/summarise/false-hits.ts';
import { miniSession, ran, rowsFrom } from '../models/rows.ts';

const { count } = createTokenCounter();
const builds = rowsFrom([
  { type: 'user', content: 'Build the release and report how large it is.' },
  ran('npm run build', 'built 41 files in 812 ms\n3 tests passed\nbundle.js is 48 kB, commit 9fceb02d0ae5'),
  { type: 'assistant', content: 'The bundle is 48 kB, which is below the limit that was agreed upon.' },
]);

test('sends windows with another meaning, not those that differ in times and ids alone', async () => {
  const figures = await measureFalseHits([{ windows: [miniSession, builds] }], count, 0.8);
  expect(figures.falseHitRate).toBe(0);
  for (const [name, { candidates, falseHits }] of Object.entries(figures.changed))
    expect([name, candidates > 0, falseHits]).toEqual([name, true, 0]);
  expect(figures.pairs).toEqual({ candidates: 2, hits: 0, falseHits: 0 });
  expect(figures.replays).toEqual({ candidates: 2, hits: 2 });
});

test('sends a replay if only equal requests may use the cache', async () => {
  const { replays } = await measureFalseHits([{ windows: [builds] }], count, 1);
  expect(replays).toEqual({ candidates: 1, hits: 0 });
});
