import { describe, expect, test } from 'vitest';
import { noCounts } from '../../../domain/transcripts/counts.ts';
import { progressAfter, startOf } from '../../../domain/transcripts/progress.ts';

const FILE = { fingerprint: 'f', size: 100, modifiedAtMs: 7 };
const BEFORE = { fingerprint: 'f', readOffset: 60, countedOffset: 80, sessionId: 'known' };
const RESULT = { nextOffset: 90, countedOffset: 95, open: true, counts: noCounts(), sessionId: null, seenSeq: 4 };

describe('start of reading', () => {
  test.each([
    ['never read', null, FILE, { anew: false, readOffset: 0, countedOffset: 0 }],
    ['grown', BEFORE, FILE, { anew: false, readOffset: 60, countedOffset: 80 }],
    ['as long as it was counted', BEFORE, { ...FILE, size: 80 }, { anew: false, readOffset: 60, countedOffset: 80 }],
    ['shorter than it was counted', BEFORE, { ...FILE, size: 79 }, { anew: true, readOffset: 0, countedOffset: 0 }],
    ['another file', BEFORE, { ...FILE, fingerprint: 'g' }, { anew: true, readOffset: 0, countedOffset: 0 }],
  ])('%s', (_what, before, file, start) => {
    expect(startOf(file, before)).toEqual(start);
  });
});

describe('recorded progress', () => {
  test('has the full size only if nothing is left', () => {
    const size = (nextOffset: number, atEnd: boolean) =>
      progressAfter(FILE, null, { ...RESULT, nextOffset }, { atEnd, anew: false }).size;
    expect([size(90, true), size(90, false), size(120, false)]).toEqual([100, 90, 100]);
  });

  test('retains the known session if the piece names none', () => {
    const session = (before: typeof BEFORE | null, sessionId: string | null) =>
      progressAfter(FILE, before, { ...RESULT, sessionId }, { atEnd: true, anew: false }).sessionId;
    expect([session(BEFORE, 'new'), session(BEFORE, null), session(null, null)]).toEqual(['new', 'known', null]);
  });

  test('contains only the file’s identity', () => {
    const file = { ...FILE, session: 's', agentId: null };
    expect(progressAfter(file, BEFORE, RESULT, { atEnd: true, anew: true })).toEqual({
      fingerprint: 'f',
      size: 100,
      modifiedAtMs: 7,
      readOffset: 90,
      countedOffset: 95,
      open: true,
      sessionId: 'known',
      seenSeq: 4,
      counts: noCounts(),
      anew: true,
    });
  });
});
