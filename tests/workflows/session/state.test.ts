import { expect, test } from 'vitest';
import {
  answers,
  hasWindows,
  initialState,
  transition,
  viewOf,
  waitsForBatch,
} from '../../../workflows/session/state.ts';
import type { MachineState, SessionEvent } from '../../../workflows/session/state.ts';
import type { ConsumeResult, SessionPolicy } from '../../../workflows/session/types.ts';

const POLICY: SessionPolicy = { windowTokens: 1, turnTokens: 1, quietMs: 1, maxAgeMs: 1, idleMs: 1, retryMs: 1 };
const input = { tenantId: 't', sessionId: 's', policy: POLICY };
const START = initialState(input);
const RESULT: ConsumeResult = {
  projectId: 'p',
  consumedSeq: 7,
  more: false,
  windowsPending: 2,
  ended: false,
  isIndexRequested: false,
  infer: true,
  settled: false,
  checkAfterMs: 50,
  idle: false,
  deleted: false,
};
const READ: MachineState = { ...START, hinted: false, consumption: RESULT };
const COST = { calls: 1, tokens: 20, usd: 0.5 };
const SUMMARISED = { windowsPending: 1, windowsParked: 1, summarised: 3, ...COST };
const OFFERED = { windowsPending: 1, windowsBatched: 4, windowsParked: 1, direct: true };
const carried = (change: Partial<MachineState['carried']>) => ({ carried: { ...START.carried, ...change } });
const windows = (windowsPending: number, windowsParked = 1) => ({
  consumption: { ...RESULT, windowsPending, windowsParked },
});

test.each<[string, MachineState, SessionEvent, Partial<MachineState>]>([
  ['hinted: consumes again', READ, { type: 'hinted' }, { hinted: true }],
  ['batchServed: counts the windows again', READ, { type: 'batchServed' }, { batchServed: true }],
  [
    'retryRequested: ends waits and consumes again',
    READ,
    { type: 'retryRequested' },
    { retryRequested: true, hinted: true },
  ],
  ['requested: records a summary', READ, { type: 'requested', what: 'summary' }, { asked: 'summary' }],
  [
    'requested: replaces a summary by a close',
    { ...READ, asked: 'summary' },
    { type: 'requested', what: 'close' },
    { asked: 'close' },
  ],
  [
    'requested: retains a close over a summary',
    { ...READ, asked: 'close' },
    { type: 'requested', what: 'summary' },
    {},
  ],
  [
    'answered: clears the request',
    { ...READ, asked: 'summary' },
    { type: 'answered', what: 'summary' },
    { asked: null },
  ],
  [
    'answered: a close clears a summary',
    { ...READ, asked: 'summary' },
    { type: 'answered', what: 'close' },
    { asked: null },
  ],
  ['answered: a summary leaves a close open', { ...READ, asked: 'close' }, { type: 'answered', what: 'summary' }, {}],
  ['consumptionStarted: clears the hint', START, { type: 'consumptionStarted' }, { hinted: false }],
  [
    'consumed: stores the result and when the next is due',
    { ...START, hinted: false },
    { type: 'consumed', result: RESULT, nowMs: 100 },
    { ...carried({ consumed: 1 }), consumption: RESULT, dueAtMs: 150 },
  ],
  [
    'consumed: expects no batch without inference',
    { ...START, hinted: false, windowsBatched: 1 },
    { type: 'consumed', result: { ...RESULT, infer: false }, nowMs: 0 },
    { ...carried({ consumed: 1 }), consumption: { ...RESULT, infer: false }, dueAtMs: 50, windowsBatched: 0 },
  ],
  [
    'consumed: consumes again when rows remain',
    { ...START, hinted: false },
    { type: 'consumed', result: { ...RESULT, more: true }, nowMs: 0 },
    { ...carried({ consumed: 1 }), consumption: { ...RESULT, more: true }, dueAtMs: 50, hinted: true },
  ],
  [
    'consumed: retains a hint that arrived meanwhile',
    START,
    { type: 'consumed', result: RESULT, nowMs: 0 },
    { ...carried({ consumed: 1 }), consumption: RESULT, dueAtMs: 50, hinted: true },
  ],
  ['workFound: consumes again without a signal', READ, { type: 'workFound' }, { hinted: true }],
  ['phaseEntered: changes the phase', READ, { type: 'phaseEntered', phase: 'summarising' }, { phase: 'summarising' }],
  [
    'windowsSummarised: counts windows',
    READ,
    { type: 'windowsSummarised', result: SUMMARISED, consumedBefore: 0 },
    { ...carried({ windowsSummarised: 3, windowsParked: 1 }), ...windows(1) },
  ],
  [
    'windowsSummarised: retains windows that were consumed during the call',
    READ,
    { type: 'windowsSummarised', result: SUMMARISED, consumedBefore: -1 },
    { ...carried({ windowsSummarised: 3, windowsParked: 1 }), ...windows(2) },
  ],
  [
    'windowsRequeued: adds windows',
    READ,
    { type: 'windowsRequeued', requeued: 3 },
    { consumption: { ...RESULT, windowsPending: 5 } },
  ],
  [
    'windowsRequeued: changes nothing before the first consumption',
    START,
    { type: 'windowsRequeued', requeued: 3 },
    {},
  ],
  [
    'offerStarted: awaits a new batch signal',
    { ...READ, batchServed: true },
    { type: 'offerStarted' },
    { batchServed: false },
  ],
  [
    'windowsOffered: stores the counts',
    READ,
    { type: 'windowsOffered', result: OFFERED, consumedBefore: 0 },
    { ...carried({ windowsParked: 1 }), ...windows(1), windowsBatched: 4, isDirect: true },
  ],
  [
    'windowsOffered: retains windows that were consumed during the step',
    READ,
    { type: 'windowsOffered', result: OFFERED, consumedBefore: -1 },
    { ...carried({ windowsParked: 1 }), ...windows(2), windowsBatched: 4, isDirect: true },
  ],
  [
    'waitStarted: shows the reason',
    READ,
    { type: 'waitStarted', reason: 'BatchPending', untilMs: 9 },
    { waiting: { reason: 'BatchPending', untilMs: 9 } },
  ],
  [
    'waitEnded: removes the reason',
    { ...READ, waiting: { reason: 'ModelBusy', untilMs: 1 } },
    { type: 'waitEnded' },
    { waiting: null },
  ],
  [
    'retryStarted: clears the request',
    { ...READ, retryRequested: true },
    { type: 'retryStarted' },
    { retryRequested: false },
  ],
  ['closingStarted: enters closing', READ, { type: 'closingStarted' }, { phase: 'closing' }],
  [
    'modelUsed: adds the cost',
    READ,
    { type: 'modelUsed', cost: COST },
    carried({ modelCalls: 1, spentTokens: 20, spentUsd: 0.5 }),
  ],
  ['modelFailed: stores the failure type', READ, { type: 'modelFailed', error: 'X' }, carried({ lastError: 'X' })],
  ['continuing: ends the run', READ, { type: 'continuing' }, { isContinuing: true }],
])('%s', (_, before, event, change) => {
  expect(transition(before, event)).toEqual({ ...before, ...change });
});

test('a run starts hinted, with the counters and the request of the run before', () => {
  const state = { ...START.carried, runs: 4, spentTokens: 9, asked: 'close' } as const;
  expect(initialState({ ...input, state })).toMatchObject({
    carried: { runs: 5, spentTokens: 9 },
    asked: 'close',
    hinted: true,
  });
  expect(START).toMatchObject({ carried: { runs: 1 }, asked: null, windowsBatched: 0 });
  expect(initialState({ ...input, policy: { ...POLICY, mode: 'batch' } }).windowsBatched).toBe(1);
});

test('windows of a batch count as work unless a summary is requested', () => {
  expect(hasWindows(READ)).toBe(true);
  expect(hasWindows(START)).toBe(false);
  expect(hasWindows({ ...START, windowsBatched: 1 })).toBe(true);
  expect(hasWindows({ ...START, windowsBatched: 1, asked: 'summary' })).toBe(false);
});

test('batch mode waits for a batch unless a summary is requested or the model has no batches', () => {
  expect(waitsForBatch(READ, false)).toBe(false);
  expect(waitsForBatch(READ, true)).toBe(true);
  expect(waitsForBatch({ ...READ, asked: 'summary' }, true)).toBe(false);
  expect(waitsForBatch({ ...READ, isDirect: true }, true)).toBe(false);
  expect(waitsForBatch({ ...START, isDirect: true }, true)).toBe(true);
});

test('the view shows counters, phase and position, and a close completes a summary', () => {
  expect(viewOf(READ)).toEqual({ ...START.carried, phase: 'active', consumedSeq: 7, windowsPending: 2, waiting: null });
  expect([answers('close', 'summary'), answers('summary', 'close')]).toEqual([true, false]);
});
