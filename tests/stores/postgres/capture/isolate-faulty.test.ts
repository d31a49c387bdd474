import { describe, expect, it } from 'vitest';
import type { CaptureOutcome } from '../../../../domain/capture/event.ts';
import { asId } from '../../../../domain/ids.ts';
import type { RowId, SessionId } from '../../../../domain/ids.ts';
import { isolateFaulty } from '../../../../stores/postgres/capture/isolate-faulty.ts';

function sqlError(code: string): Error {
  return Object.assign(new Error('from the database'), { code });
}

/** Stores events that are named by their row; `before` may reject a call. Returns the results, and the sizes of the calls in order. */
async function isolated(names: readonly string[], before: (names: readonly string[], call: number) => void) {
  const calls: number[] = [];
  const results = await isolateFaulty(names, async (some): Promise<CaptureOutcome[]> => {
    calls.push(some.length);
    before(some, calls.length);
    return some.map((name) => ({
      status: 'accepted',
      rowId: asId<RowId>(name),
      seq: 1,
      sessionId: asId<SessionId>('s'),
      reason: null,
    }));
  });
  return { calls, results: results.map((result) => ('rowId' in result ? result.rowId : result.status)), raw: results };
}

const EIGHT = Array.from({ length: 8 }, (_, n) => `e${n}`);

describe('an event that the database rejects for its content', () => {
  it.each(['22021', '22P02', '23514', '54000'])('is found by halves, and the others are stored (%s)', async (code) => {
    const { results, calls } = await isolated(EIGHT, (names) => {
      if (names.includes('e5')) throw sqlError(code);
    });
    expect(results).toEqual(['e0', 'e1', 'e2', 'e3', 'e4', 'refused', 'e6', 'e7']);
    expect(calls).toEqual([8, 4, 4, 2, 1, 1, 2]);
  });

  it('is found among several, the first and the last included', async () => {
    const { results } = await isolated(EIGHT.slice(0, 7), (names) => {
      if (names.some((name) => ['e0', 'e3', 'e6'].includes(name))) throw sqlError('22021');
    });
    expect(results).toEqual(['refused', 'e1', 'e2', 'refused', 'e4', 'e5', 'refused']);
  });
});

describe('a store that becomes unavailable', () => {
  it.each(['ECONNREFUSED', '57P01', '53300', '40P01', '57014', '42883'])('rejects no event (%s)', async (code) => {
    const { results, calls } = await isolated(EIGHT, () => {
      throw sqlError(code);
    });
    expect(results).toEqual(EIGHT.map(() => 'failed'));
    expect(calls).toEqual([8]);
  });

  it('leaves the events of the other half as they were stored, each with its result', async () => {
    const { raw, results, calls } = await isolated(EIGHT, (names, call) => {
      if (call > 2) throw sqlError('57P01');
      if (names.includes('e6')) throw sqlError('22021');
    });
    expect(results).toEqual(['e0', 'e1', 'e2', 'e3', 'failed', 'failed', 'failed', 'failed']);
    expect(raw[7]).toMatchObject({ error: { code: '57P01' } });
    expect(calls).toEqual([8, 4, 4]);
  });

  it('is not tried with later events, so that they are sent again in their order', async () => {
    const { results, calls } = await isolated(EIGHT.slice(0, 4), (names, call) => {
      if (call > 1) throw sqlError('ECONNRESET');
      if (names.includes('e0')) throw sqlError('22021');
    });
    expect(results).toEqual(EIGHT.slice(0, 4).map(() => 'failed'));
    expect(calls).toEqual([4, 2]);
  });
});
