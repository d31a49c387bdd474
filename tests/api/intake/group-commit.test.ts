import { describe, expect, it } from 'vitest';
import { GroupCommit } from '../../../api/intake/group-commit.ts';
import type { StoreEvents } from '../../../api/intake/group-commit.ts';
import { acceptedOutcome, captureEvent, gate, sqlError } from './capture-events.ts';

interface RecordedStore {
  readonly store: StoreEvents;
  /** Keys of every call, in order. */
  readonly calls: string[][];
  /** Most calls that ran at once. */
  readonly atOnce: () => number;
}

/** A store that notes what it was given; `before` decides how it goes. */
function recordedStore(
  before: (keys: readonly string[], call: number) => Promise<void> | void = () => {},
): RecordedStore {
  const calls: string[][] = [];
  let running = 0;
  let most = 0;
  return {
    calls,
    atOnce: () => most,
    store: async (events) => {
      const keys = events.map((event) => event.key ?? '');
      calls.push(keys);
      running += 1;
      most = Math.max(most, running);
      try {
        await before(keys, calls.length);
      } finally {
        running -= 1;
      }
      return events.map(acceptedOutcome);
    },
  };
}

const many = (count: number, prefix = 'e') => Array.from({ length: count }, (_, n) => captureEvent(`${prefix}${n}`));
const idsOf = (results: readonly object[]): unknown[] =>
  results.map((result) => ('rowId' in result ? result.rowId : result));

describe('order', () => {
  it('answers every caller its own events, in the order given', async () => {
    const { store } = recordedStore();
    const commit = new GroupCommit(store);
    const answers = await Promise.all([
      commit.submit([captureEvent('a'), captureEvent('b')]),
      commit.submit([captureEvent('c')]),
      commit.submit([captureEvent('d'), captureEvent('e')]),
    ]);
    expect(answers.map(idsOf)).toEqual([['a', 'b'], ['c'], ['d', 'e']]);
  });

  it('stores in the order of arrival', async () => {
    const { store, calls } = recordedStore();
    const commit = new GroupCommit(store);
    await Promise.all(['a', 'b', 'c', 'd'].map((key) => commit.submit([captureEvent(key)])));
    expect(calls.flat()).toEqual(['a', 'b', 'c', 'd']);
  });
});

describe('flushes', () => {
  it('are one at a time, and gather what arrives meanwhile', async () => {
    const first = gate();
    const { store, calls, atOnce } = recordedStore((_, call) => (call === 1 ? first.opened : undefined));
    const commit = new GroupCommit(store);
    const answers = ['a', 'b', 'c', 'd'].map((key) => commit.submit([captureEvent(key)]));
    expect(calls).toEqual([['a']]);
    first.open();
    await Promise.all(answers);
    expect(calls).toEqual([['a'], ['b', 'c', 'd']]);
    expect(atOnce()).toBe(1);
  });

  it('answer a caller only after its own flush', async () => {
    const second = gate();
    const { store } = recordedStore((_, call) => (call === 2 ? second.opened : undefined));
    const commit = new GroupCommit(store);
    const answered: string[] = [];
    const submit = async (key: string) => {
      await commit.submit([captureEvent(key)]);
      answered.push(key);
    };
    const first = submit('a');
    const later = submit('b');
    await first;
    expect(answered).toEqual(['a']);
    second.open();
    await later;
    expect(answered).toEqual(['a', 'b']);
  });

  it('contain five hundred events, complete submissions only', async () => {
    const first = gate();
    const { store, calls } = recordedStore((_, call) => (call === 1 ? first.opened : undefined));
    const commit = new GroupCommit(store);
    const answers = [
      commit.submit(many(1)),
      commit.submit(many(300)),
      commit.submit(many(200)),
      commit.submit(many(1)),
      commit.submit(many(700)),
    ];
    first.open();
    expect((await Promise.all(answers)).map((results) => results.length)).toEqual([1, 300, 200, 1, 700]);
    expect(calls.map((keys) => keys.length)).toEqual([1, 500, 1, 700]);
  });

  it('go on after the queue was empty', async () => {
    const { store, calls } = recordedStore();
    const commit = new GroupCommit(store);
    await commit.submit([captureEvent('a')]);
    await commit.submit([captureEvent('b')]);
    expect(calls).toEqual([['a'], ['b']]);
  });
});

describe('an event that the database refuses', () => {
  it('spoils no other caller', async () => {
    const first = gate();
    const { store } = recordedStore(async (keys, call) => {
      if (call === 1) await first.opened;
      if (keys.includes('bad')) throw sqlError('22P02');
    });
    const commit = new GroupCommit(store);
    const answers = [
      commit.submit(many(1)),
      commit.submit([captureEvent('a')]),
      commit.submit([captureEvent('bad')]),
      commit.submit([captureEvent('b')]),
    ];
    first.open();
    expect((await Promise.all(answers)).map(idsOf)).toEqual([['e0'], ['a'], [{ status: 'refused' }], ['b']]);
  });
});

describe('a store that is unavailable', () => {
  it('rejects all, and never calls an event refused', async () => {
    const { store, calls } = recordedStore((_, call) => {
      if (call === 1) throw sqlError('57P01');
    });
    const commit = new GroupCommit(store);
    await expect(commit.submit(many(4))).rejects.toMatchObject({ code: '57P01' });
    expect(calls).toHaveLength(1);
    expect(idsOf(await commit.submit([captureEvent('later')]))).toEqual(['later']);
  });

  it('rejects every caller of the flush, and stores the next one', async () => {
    const first = gate();
    const { store } = recordedStore(async (_, call) => {
      if (call === 1) await first.opened;
      if (call === 2) throw sqlError('ECONNRESET');
    });
    const commit = new GroupCommit(store);
    const ahead = commit.submit(many(1));
    const failing = ['a', 'b'].map((key) => commit.submit([captureEvent(key)]));
    first.open();
    await ahead;
    const settled = await Promise.allSettled(failing);
    expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(idsOf(await commit.submit([captureEvent('c')]))).toEqual(['c']);
  });
});

describe('a store that fails while a bad event is searched', () => {
  it('rejects the callers without a stored event, and responds to the others', async () => {
    const first = gate();
    const { store } = recordedStore(async (keys, call) => {
      if (call === 1) await first.opened;
      if (call > 3) throw sqlError('57P01');
      if (keys.includes('bad')) throw sqlError('22P02');
    });
    const commit = new GroupCommit(store);
    const ahead = commit.submit([captureEvent('ahead')]);
    const callers = [['a', 'b'], ['c', 'bad'], ['d']].map((keys) =>
      commit.submit(keys.map((key) => captureEvent(key))),
    );
    first.open();
    await ahead;
    const settled = await Promise.allSettled(callers);
    expect(settled.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected']);
    expect(await callers[1]).toMatchObject([{ status: 'accepted' }, { status: 'failed' }]);
  });
});

describe('too much that waits', () => {
  it('is rejected as BUSY, and accepted again once there is space', async () => {
    const first = gate();
    const { store } = recordedStore((_, call) => (call === 1 ? first.opened : undefined));
    const commit = new GroupCommit(store);
    const one = captureEvent('x');
    const ahead = commit.submit([one]);
    const full = commit.submit(Array.from({ length: 20_000 }, () => one));
    await expect(commit.submit([one])).rejects.toMatchObject({ name: 'ApiError', code: 'BUSY' });
    first.open();
    await ahead;
    expect(await full).toHaveLength(20_000);
    expect(await commit.submit([one])).toHaveLength(1);
  });
});
