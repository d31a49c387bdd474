/** Durations and sizes that a session's workflow goes by; settings of the instance, given at its start and kept for its run. */
export interface SessionPolicy {
  readonly windowTokens: number;
  readonly turnTokens: number;
  readonly quietMs: number;
  readonly maxAgeMs: number;
  readonly idleMs: number;
  readonly retryMs: number;
}

/** What goes on over continue-as-new. Plain JSON: counters and positions, never content. */
export interface SessionState {
  readonly runs: number;
  readonly takenIn: number;
  readonly windowsSummarised: number;
  readonly windowsParked: number;
  readonly modelCalls: number;
  readonly spentTokens: number;
  readonly spentUsd: number;
  readonly lastError: string | null;
}

export interface SessionInput {
  readonly tenantId: string;
  readonly sessionId: string;
  readonly policy: SessionPolicy;
  /** Undefined at a session's first run. */
  readonly state?: SessionState;
}

export type SessionPhase = 'active' | 'summarising' | 'closing' | 'settled';

/** Answer of the `state` query. */
export interface SessionView extends SessionState {
  readonly phase: SessionPhase;
  /** Last position taken in. */
  readonly consumedSeq: number;
  readonly windowsCut: number;
  /** Failure type that the model's work waits for, and until when; null when it does not wait. */
  readonly waiting: { readonly reason: string; readonly untilMs: number } | null;
}

export interface SessionRef {
  readonly tenantId: string;
  readonly sessionId: string;
}

export interface TakeInInput extends SessionRef {
  readonly policy: SessionPolicy;
  /** Close what is open whatever its size: the session is being closed because nothing came any more. */
  readonly closeOpen: 'idle' | null;
}

export interface TakeInResult {
  /** The session's project; null while it has none. */
  readonly projectId: string | null;
  readonly consumedSeq: number;
  /** More rows are waiting: call again at once. */
  readonly more: boolean;
  /** Windows that wait for their summary. */
  readonly windowsCut: number;
  /** The session's end was captured, and nothing after it. */
  readonly ended: boolean;
  /** Vectors were asked for. */
  readonly indexWanted: boolean;
  /** When to look again though nobody hinted; the earliest of quiet, age and idle. Milliseconds from now. */
  readonly checkAfterMs: number;
  /** Nothing was captured for the idle time. */
  readonly idle: boolean;
  /** The session was deleted: stop. */
  readonly gone: boolean;
}

export interface SummariseResult {
  readonly windowsCut: number;
  readonly windowsParked: number;
  readonly calls: number;
  readonly tokens: number;
  readonly usd: number;
}

export interface CloseResult {
  readonly calls: number;
  readonly tokens: number;
  readonly usd: number;
}

export interface PhaseInput extends SessionRef {
  readonly phase: SessionPhase;
  readonly waitingReason: string | null;
  readonly lastError: string | null;
  readonly workflowId: string;
}

/** Short database steps, on the session queue. */
export interface SessionActivities {
  takeIn(input: TakeInInput): Promise<TakeInResult>;
  showPhase(input: PhaseInput): Promise<void>;
  requeueParked(input: SessionRef): Promise<{ readonly requeued: number }>;
  hintIndex(input: SessionRef): Promise<void>;
  countPending(input: SessionRef): Promise<{ readonly pending: number }>;
  settle(input: SessionRef): Promise<{ readonly settled: boolean }>;
}

/** Calls of the model, on the model queue. */
export interface SummariseActivities {
  summariseNextWindow(input: SessionRef): Promise<SummariseResult>;
  summariseSession(input: SessionRef): Promise<CloseResult>;
}
