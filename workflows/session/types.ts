import type { WaitingReason } from '../failure-types.ts';
import type { SessionPhase } from '../registry.ts';

/** Signal: events were captured. Without payload: PostgreSQL contains them. */
export const HINT_SIGNAL = 'hint';

/** Signal: windows of this session that were in a provider batch are summarised, or wait again. */
export const SUMMARISED_SIGNAL = 'summarised';

/** Signal: try the provider now, and give parked windows another attempt. */
export const RETRY_SIGNAL = 'retry';

/** Query: the state of the session, `SessionView`. */
export const STATE_QUERY = 'state';

/** Update: summarise what was captured so far, without ending the session: `AskResult`. */
export const SUMMARISE_NOW_UPDATE = 'summariseNow';

/** Update: end the session: summarise, learn, settle. Its vectors follow. A later capture opens it again. `AskResult`. */
export const CLOSE_UPDATE = 'close';

/** Update: switch capture of the session: `SetCaptureInput` → `SetCaptureResult`. */
export const SET_CAPTURE_UPDATE = 'setCapture';

/** Durations and sizes of a session's workflow: settings of the instance, fixed at the start of a run. */
export interface SessionPolicy {
  readonly windowTokens: number;
  readonly turnTokens: number;
  readonly quietMs: number;
  readonly maxAgeMs: number;
  readonly idleMs: number;
  readonly retryMs: number;
  /** `batch`: windows go into provider batches at a lower price, unless a request waits for them. Absent: they are summarised at once. */
  readonly mode?: 'batch';
}

/** State carried over continue-as-new. Plain JSON: counters and positions, never content. */
export interface SessionState {
  readonly runs: number;
  readonly consumed: number;
  readonly windowsSummarised: number;
  readonly windowsParked: number;
  readonly modelCalls: number;
  readonly spentTokens: number;
  readonly spentUsd: number;
  readonly lastError: string | null;
  /** Request of a caller that the previous run did not complete. */
  readonly asked?: Ask | null;
}

/** Requests to a session: its summary now, or its end. */
export type Ask = 'summary' | 'close';

/** Answer of `summariseNow` and `close`. */
export interface AskResult {
  /** The session summary; null if there is nothing to summarise, or if the model failed: then `lastError` contains the reason. */
  readonly summaryId: string | null;
  /** The session has ended. Its vectors may still be pending in the ledger. */
  readonly settled: boolean;
  readonly lastError: string | null;
}

export interface SetCaptureInput {
  readonly on: boolean;
}

export type SetCaptureResult = SetCaptureInput;

export interface SessionInput {
  readonly tenantId: string;
  readonly sessionId: string;
  readonly policy: SessionPolicy;
  /** Undefined at a session's first run. */
  readonly state?: SessionState;
}

/** Answer of the `state` query. */
export interface SessionView extends SessionState {
  readonly phase: SessionPhase;
  /** Last consumed position. */
  readonly consumedSeq: number;
  readonly windowsPending: number;
  /** What the session waits for, and until when it checks at the latest; null when it does not wait. */
  readonly waiting: { readonly reason: WaitingReason; readonly untilMs: number } | null;
}

export interface SessionRef {
  readonly tenantId: string;
  readonly sessionId: string;
}

export interface ConsumeInput extends SessionRef {
  readonly policy: SessionPolicy;
  /** Closes the open window regardless of its size: the session is idle, or a caller requested it. */
  readonly closeOpen: 'idle' | 'requested' | null;
  /** Written with the step. */
  readonly phase: SessionPhase;
}

export interface ConsumeResult {
  /** The session's project; null while it has none. */
  readonly projectId: string | null;
  readonly consumedSeq: number;
  /** More rows are waiting: call again at once. */
  readonly more: boolean;
  /** Windows that wait for their summary. */
  readonly windowsPending: number;
  /** Windows that are parked. */
  readonly windowsParked?: number;
  /** The session's end was captured, and nothing after it. */
  readonly ended: boolean;
  /** Vectors were requested, and the index workflow has no hint yet. */
  readonly isIndexRequested: boolean;
  /** Whether models process the session; fixed by its first event. */
  readonly infer: boolean;
  /** The step ended the session: it is over, wants no model, and nothing new was captured. */
  readonly settled: boolean;
  /** Milliseconds until the next check without a hint; the earliest of quiet, age and idle. */
  readonly checkAfterMs: number;
  /** Nothing was captured for the idle time. */
  readonly idle: boolean;
  /** The session was deleted: stop. */
  readonly deleted: boolean;
}

export interface SummariseResult {
  readonly windowsPending: number;
  readonly windowsParked: number;
  readonly calls: number;
  readonly tokens: number;
  readonly usd: number;
}

export interface CloseResult {
  readonly calls: number;
  readonly tokens: number;
  readonly usd: number;
  /** The current session summary. */
  readonly summaryId?: string | null;
}

/** A model's step that also shows the phase it is done in. */
export interface ModelStepInput extends SessionRef {
  readonly phase: SessionPhase;
}

/** Windows that wait to be gathered, and those in a batch. */
export interface OfferResult {
  readonly windowsPending: number;
  readonly windowsBatched: number;
  readonly windowsParked: number;
  /** The model has no batches (any more): windows that are in none go the direct way. */
  readonly direct?: boolean;
}

export interface WindowsResult extends SummariseResult {
  /** Windows that this call summarised. */
  readonly summarised: number;
}

export interface RequeueInput extends SessionRef {
  /** Requested retry: parked windows get new attempts. */
  readonly again?: boolean;
}

export interface CaptureSwitchInput extends SessionRef, SetCaptureInput {}

export interface PhaseInput extends SessionRef {
  readonly phase: SessionPhase;
  readonly waitingReason: WaitingReason | null;
  readonly lastError: string | null;
  readonly workflowId: string;
}

/** Short database steps, on the session queue. */
export interface SessionActivities {
  consumeEvents(input: ConsumeInput): Promise<ConsumeResult>;
  updateSessionPhase(input: PhaseInput): Promise<void>;
  requeueParked(input: RequeueInput): Promise<{ readonly requeued: number }>;
  hintIndex(input: SessionRef): Promise<void>;
  /** Ends the session if nothing new was captured and no window is pending. */
  settle(input: SessionRef): Promise<{ readonly settled: boolean }>;
  setCapture(input: CaptureSwitchInput): Promise<SetCaptureResult>;
  /** Writes the phase, and has a batch gather the session's windows. */
  offerWindows(input: ModelStepInput): Promise<OfferResult>;
}

/** Calls of the model, on the model queue. */
export interface SummariseActivities {
  /** Summarises as many windows as fit into the time of one call. */
  summariseWindows(input: ModelStepInput): Promise<WindowsResult>;
  summariseSession(input: ModelStepInput): Promise<CloseResult>;
}

export interface LearningResult extends Omit<CloseResult, 'summaryId'> {
  readonly written: number;
}

export interface LearningActivities {
  /** Extracts what outlives a session, and joins it with what its project already knows. */
  extractLearnings(input: SessionRef): Promise<LearningResult>;
}
