import { describe, expect, it } from 'vitest';
import { stepsOf } from '../../domain/trace-steps.ts';
import type { EventTimes } from '../../domain/trace-steps.ts';

const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second));
const NEW: EventTimes = {
  occurredAt: at(0),
  receivedAt: at(1),
  isConsumed: false,
  infer: true,
  windowAt: null,
  isWindowPending: false,
  summariesAt: [],
  learningsAt: [],
  vectors: [],
};
const brief = (times: EventTimes) => stepsOf(times).map(({ name, durationMs }) => [name, durationMs]);

describe('steps of an event', () => {
  it('begin with its delivery and wait for the workflow', () => {
    expect(stepsOf(NEW)).toEqual([
      { name: 'deliver', startedAt: at(0), durationMs: 1_000 },
      { name: 'consume', startedAt: at(1), durationMs: null },
    ]);
  });

  it('follow each other to the last vector', () => {
    const times: EventTimes = {
      ...NEW,
      isConsumed: true,
      windowAt: at(10),
      summariesAt: [at(40), at(15)],
      learningsAt: [at(41), at(45)],
      vectors: [
        { of: 'learning', requestedAt: at(45), indexedAt: at(48) },
        { of: 'row', requestedAt: at(3), indexedAt: at(4) },
        { of: 'summary', requestedAt: at(15), indexedAt: at(42) },
      ],
    };
    expect(brief(times)).toEqual([
      ['deliver', 1_000],
      ['consume', 2_000],
      ['index_row', 1_000],
      ['window', 7_000],
      ['summarise', 5_000],
      ['index_summary', 27_000],
      ['learn', 30_000],
      ['index_learning', 3_000],
    ]);
  });

  it('are incomplete while a window, a model or a vector is missing', () => {
    const consumed: EventTimes = {
      ...NEW,
      isConsumed: true,
      vectors: [{ of: 'row', requestedAt: at(3), indexedAt: null }],
    };
    expect(brief(consumed).slice(2)).toEqual([
      ['index_row', null],
      ['window', null],
    ]);
    expect(brief({ ...consumed, windowAt: at(5), isWindowPending: true }).at(-1)).toEqual(['summarise', null]);
  });

  it('leave out what does not come: summaries of a parked window, a window without models', () => {
    expect(brief({ ...NEW, isConsumed: true, windowAt: at(5) }).map(([name]) => name)).not.toContain('summarise');
    const stored = { ...NEW, isConsumed: true, infer: false };
    expect(brief({ ...stored, vectors: [{ of: 'row', requestedAt: at(3), indexedAt: at(4) }] })).toHaveLength(3);
    // A boundary has no vectors: when it was consumed is unknown.
    expect(brief(stored)).toEqual([['deliver', 1_000]]);
  });

  it('have no negative duration if the clock of the host is ahead', () => {
    expect(stepsOf({ ...NEW, occurredAt: at(9) })[0]?.durationMs).toBe(0);
  });
});
