import { expect, test } from 'vitest';
import { afterLast } from '../../../api/intake/buffered-answers.ts';

test('answers come after the last one, in order', async () => {
  let read = 0;
  async function* answers(): AsyncGenerator<string> {
    for (const answer of ['a\n', 'b\n', 'c\n']) {
      read += 1;
      yield answer;
    }
  }
  const buffered = afterLast(answers());
  expect(await buffered.next()).toEqual({ done: false, value: 'a\nb\nc\n' });
  expect(read).toBe(3);
  expect(await buffered.next()).toEqual({ done: true, value: undefined });
});
