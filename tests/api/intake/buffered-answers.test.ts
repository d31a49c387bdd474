import { expect, test } from 'vitest';
import { afterLast } from '../../../api/intake/buffered-answers.ts';

/** Returns what is yielded, each with the number of answers that were read by then. */
async function yieldedOf(answers: readonly string[], maxChars?: number): Promise<(readonly [string, number])[]> {
  let read = 0;
  async function* reading(): AsyncGenerator<string> {
    for (const answer of answers) {
      read += 1;
      yield answer;
    }
  }
  const yielded: (readonly [string, number])[] = [];
  for await (const text of afterLast(reading(), maxChars)) yielded.push([text, read]);
  return yielded;
}

test('answers come after the last one, in order', async () => {
  expect(await yieldedOf(['a\n', 'b\n', 'c\n'])).toEqual([['a\nb\nc\n', 3]]);
  expect(await yieldedOf([])).toEqual([]);
});

test('answers beyond the bound come at once, with those before', async () => {
  expect(await yieldedOf(['aa', 'bb', 'cc', 'dd'], 4)).toEqual([
    ['aabbcc', 3],
    ['dd', 4],
  ]);
});

test('a reader that leaves ends the source', async () => {
  let hasEnded = false;
  async function* endless(): AsyncGenerator<string> {
    try {
      for (;;) yield 'a';
    } finally {
      hasEnded = true;
    }
  }
  const buffered = afterLast(endless(), 1);
  await buffered.next();
  await buffered.return(undefined);
  expect(hasEnded).toBe(true);
});
