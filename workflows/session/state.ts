import type { WaitingReason } from '../failure-types.ts';
import type { SessionPhase } from '../registry.ts';
import type {
  Ask,
  CloseResult,
  ConsumeResult,
  OfferResult,
  SessionInput,
  SessionState,
  SessionView,
  WindowsResult,
} from './types.ts';

/** Everything that one run of a session's workflow knows. Changed by `transition` alone. */
export interface MachineState {
  /** Counters and requests that the next run starts with. */
  readonly carried: SessionState;
  readonly phase: SessionPhase;
  readonly waiting: SessionView['waiting'];
  /** Result of the latest consumption; null before the first. */
  readonly consumption: ConsumeResult | null;
  /** When the next consumption is due without a hint. Workflow time. */
  readonly dueAtMs: number;
  /** There may be unconsumed rows. */
  readonly hinted: boolean;
  readonly batchServed: boolean;
  readonly retryRequested: boolean;
  /** Windows in provider batches. In batch mode 1 until the first offer returns the count. */
  readonly windowsBatched: number;
  /** The model has no batches (any more). */
  readonly isDirect: boolean;
  /** The run continues as new as soon as its steps have ended. */
  readonly isContinuing: boolean;
  readonly asked: Ask | null;
}

export type SessionEvent =
  | { readonly type: 'hinted' | 'batchServed' | 'retryRequested' }
  | { readonly type: 'requested' | 'answered'; readonly what: Ask }
  | { readonly type: 'consumptionStarted' }
  | { readonly type: 'consumed'; readonly result: ConsumeResult; readonly nowMs: number }
  /** More work is known than was captured: consume again before anything else. */
  | { readonly type: 'workFound' }
  | { readonly type: 'phaseEntered'; readonly phase: SessionPhase }
  | { readonly type: 'windowsSummarised'; readonly result: WindowsResult; readonly consumedBefore: number }
  | { readonly type: 'windowsRequeued'; readonly requeued: number }
  | { readonly type: 'offerStarted' }
  | { readonly type: 'windowsOffered'; readonly result: OfferResult; readonly consumedBefore: number }
  | { readonly type: 'waitStarted'; readonly reason: WaitingReason; readonly untilMs: number }
  | { readonly type: 'waitEnded' }
  | { readonly type: 'retryStarted' }
  | { readonly type: 'closingStarted' }
  | { readonly type: 'modelUsed'; readonly cost: CloseResult }
  | { readonly type: 'modelFailed'; readonly error: string }
  | { readonly type: 'continuing' };

const FIRST: SessionState = {
  runs: 0,
  consumed: 0,
  windowsSummarised: 0,
  windowsParked: 0,
  modelCalls: 0,
  spentTokens: 0,
  spentUsd: 0,
  lastError: null,
};

/** Returns the state of a run that starts. It is hinted: a run consumes first, so that no hint is lost between two runs. */
export function initialState({ policy, state }: SessionInput): MachineState {
  return {
    carried: { ...(state ?? FIRST), runs: (state?.runs ?? 0) + 1 },
    phase: 'active',
    waiting: null,
    consumption: null,
    dueAtMs: 0,
    hinted: true,
    batchServed: false,
    retryRequested: false,
    windowsBatched: policy.mode === 'batch' ? 1 : 0,
    isDirect: false,
    isContinuing: false,
    asked: state?.asked ?? null,
  };
}

/** Returns the state with new counts of windows, unless nothing was consumed yet. */
function withWindows(
  state: MachineState,
  counts: Partial<Pick<ConsumeResult, 'windowsPending' | 'windowsParked'>>,
): MachineState {
  return state.consumption === null ? state : { ...state, consumption: { ...state.consumption, ...counts } };
}

/** Returns the state after an event. Pure. */
export function transition(state: MachineState, event: SessionEvent): MachineState {
  const { carried } = state;
  const pending = state.consumption?.windowsPending ?? 0;
  switch (event.type) {
    case 'hinted':
      return { ...state, hinted: true };
    case 'batchServed':
      return { ...state, batchServed: true };
    case 'retryRequested':
      return { ...state, retryRequested: true, hinted: true };
    case 'requested':
      // Closing includes the summary.
      return state.asked === 'close' ? state : { ...state, asked: event.what };
    case 'answered':
      return state.asked !== null && answers(event.what, state.asked) ? { ...state, asked: null } : state;
    case 'consumptionStarted':
      // Cleared before the step: a hint during the step causes another one.
      return { ...state, hinted: false };
    case 'consumed':
      return {
        ...state,
        carried: { ...carried, consumed: carried.consumed + 1 },
        consumption: event.result,
        dueAtMs: event.nowMs + event.result.checkAfterMs,
        hinted: state.hinted || event.result.more,
        // Without inference there are no windows to offer.
        windowsBatched: event.result.infer ? state.windowsBatched : 0,
      };
    case 'workFound':
      return { ...state, hinted: true };
    case 'phaseEntered':
      return { ...state, phase: event.phase };
    case 'windowsSummarised': {
      const { result } = event;
      // A consumption during the call may have added a window that the call did not count.
      const windowsPending = carried.consumed === event.consumedBefore ? result.windowsPending : pending;
      const windowsSummarised = carried.windowsSummarised + result.summarised;
      return withWindows(
        { ...state, carried: { ...carried, windowsSummarised, windowsParked: result.windowsParked } },
        { windowsPending, windowsParked: result.windowsParked },
      );
    }
    case 'windowsRequeued':
      return withWindows(state, { windowsPending: pending + event.requeued });
    case 'offerStarted':
      return { ...state, batchServed: false };
    case 'windowsOffered': {
      const { windowsPending, windowsParked, windowsBatched, direct } = event.result;
      const isSame = carried.consumed === event.consumedBefore;
      return withWindows(
        { ...state, carried: { ...carried, windowsParked }, windowsBatched, isDirect: direct === true },
        { windowsPending: isSame ? windowsPending : Math.max(pending, windowsPending), windowsParked },
      );
    }
    case 'waitStarted':
      return { ...state, waiting: { reason: event.reason, untilMs: event.untilMs } };
    case 'waitEnded':
      return { ...state, waiting: null };
    case 'retryStarted':
      return { ...state, retryRequested: false };
    case 'closingStarted':
      return { ...state, phase: 'closing' };
    case 'modelUsed':
      return {
        ...state,
        carried: {
          ...carried,
          modelCalls: carried.modelCalls + event.cost.calls,
          spentTokens: carried.spentTokens + event.cost.tokens,
          spentUsd: carried.spentUsd + event.cost.usd,
        },
      };
    case 'modelFailed':
      return { ...state, carried: { ...carried, lastError: event.error } };
    case 'continuing':
      return { ...state, isContinuing: true };
  }
}

/** Returns whether a completed request also answers another one: a close includes the summary. */
export function answers(done: Ask, asked: Ask): boolean {
  return asked === done || done === 'close';
}

export function hasWindows(state: MachineState): boolean {
  return (state.consumption?.windowsPending ?? 0) > 0 || (state.windowsBatched > 0 && state.asked !== 'summary');
}

/** Returns whether the next step is to gather windows or wait for a batch. A requested summary summarises windows in no batch directly. */
export function waitsForBatch(state: MachineState, isBatchMode: boolean): boolean {
  if (!isBatchMode || state.asked === 'summary') return false;
  return !state.isDirect || (state.consumption?.windowsPending ?? 0) === 0;
}

/** Returns the answer of the `state` query. */
export function viewOf(state: MachineState): SessionView {
  return {
    ...state.carried,
    phase: state.phase,
    consumedSeq: state.consumption?.consumedSeq ?? 0,
    windowsPending: state.consumption?.windowsPending ?? 0,
    waiting: state.waiting,
  };
}
