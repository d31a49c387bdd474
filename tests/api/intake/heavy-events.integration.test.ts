import { expect, test } from 'vitest';
import { HeavyEvents } from '../../../api/intake/heavy-events.ts';

const MIB = 1024 * 1024;
const MANY_PIECES = '<private>a</private> ';
const SLOW = '%3cprivate ';

test.each([
  ['heap', { heapMib: 64, eventMs: 60_000 }, MANY_PIECES],
  ['time', { heapMib: 512, eventMs: 3_000 }, SLOW],
])(
  'a text that takes too much %s is refused; the next one is redacted',
  async (_what, bounds, piece) => {
    const heavy = new HeavyEvents(bounds);
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
  60_000,
);
