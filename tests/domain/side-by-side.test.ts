import { expect, test } from 'vitest';
import { sideBySide } from '../../domain/side-by-side.ts';

const never = new AbortController().signal;

/** Runs until its signal aborts. */
async function untilAborted(signal: AbortSignal, ended: string[]): Promise<string> {
  await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  // The caller is notified only after this has ended too.
  await Promise.resolve();
  ended.push('ended');
  throw signal.reason;
}

test('returns results in the order of the tasks', async () => {
  const late = Promise.withResolvers<string>();
  const results = sideBySide(never, [
    () => late.promise,
    async () => {
      late.resolve('late');
      return 'early';
    },
  ]);
  expect(await results).toEqual(['late', 'early']);
  expect(await sideBySide(never, [])).toEqual([]);
});

test('aborts the others at the first failure, and rejects once they have ended', async () => {
  const ended: string[] = [];
  const works = sideBySide(never, [
    (signal) => untilAborted(signal, ended),
    () => Promise.reject(new Error('the first')),
    (signal) => untilAborted(signal, ended),
  ]);
  await expect(works).rejects.toThrow('the first');
  expect(ended).toEqual(['ended', 'ended']);
});

test('rejects with the caller’s abort reason', async () => {
  const ended: string[] = [];
  const caller = new AbortController();
  const works = sideBySide(caller.signal, [(signal) => untilAborted(signal, ended), () => Promise.resolve('through')]);
  caller.abort(new Error('called off'));
  await expect(works).rejects.toThrow('called off');
  expect(ended).toEqual(['ended']);
});
