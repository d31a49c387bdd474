import { expect, test } from 'vitest';
import { HeavyEvents } from '../../../api/intake/heavy-events.ts';

const MIB = 1024 * 1024;
const MANY_PIECES = '<private>a</private> ';
const SLOW = '%3cprivate ';

/** Limit for a hang. */
const BUSY_MS = 240_000;

test.each([
  ['heap', 64, BUSY_MS, MANY_PIECES],
  ['time', 512, 3_000, SLOW],
])(
  'a text that takes too much %s is refused; the next one is redacted',
  async (_what, heapMib, eventMs, piece) => {
    // Of the first text alone: on a busy machine the start of the second thread may take as long.
    const limits = [eventMs];
    const heavy = new HeavyEvents({
      heapMib,
      get eventMs() {
        return limits.pop() ?? BUSY_MS;
      },
    });
    try {
      const refused = heavy.redactText('a', piece.repeat((24 * MIB) / piece.length));
      // Another user's waits for its turn and gets a thread of its own.
      const next = heavy.redactText('b', 'a <private>secret</private> b');
      expect(await refused.catch((error: unknown) => error)).toMatchObject({ code: 'EVENT_TOO_LARGE' });
      expect(await next).toBe('a [private] b');
    } finally {
      await heavy.close();
    }
  },
  BUSY_MS,
);
