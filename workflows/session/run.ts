import {
  condition,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { modelCalls } from '../activity-options.ts';
import { failureReason, providerWait } from '../failures.ts';
import { ATTRIBUTES, QUEUES } from '../registry.ts';
import type { SessionPhase } from '../registry.ts';
import { answers, hasWindows, initialState, transition, waitsForBatch } from './state.ts';
import type { MachineState, SessionEvent } from './state.ts';
import type { Ask, AskResult, ConsumeResult, SessionActivities, SessionInput, SummariseActivities } from './types.ts';

/** Continue as new after this many events, signals among them, at which a history still replays in a few tens of milliseconds. A round adds about 12 of them. */
const MAX_HISTORY_EVENTS = 1_400;

/**
 * Short transactions: 10 s without a heartbeat is a hundred times what one takes, and all that a killed worker costs; the minute is for
 * those that defer during a burst of captures, with heartbeats. No total limit: without PostgreSQL the session can do nothing else, and must not
 * give up the captures that wait in it.
 */
export const database = proxyActivities<SessionActivities>({
  taskQueue: QUEUES.session,
  startToCloseTimeout: '1 minute',
  heartbeatTimeout: '10 seconds',
  retry: { initialInterval: '500 milliseconds', maximumInterval: '30 seconds' },
});

/**
 * The steps that every session takes, within its workflow task: a task of their own would cost as much of Temporal as the rest of a short session.
 * One attempt: a step that fails, or is deferred during a burst, is repeated as an activity, which waits without a place among the workflow tasks.
 */
const withinTask = proxyLocalActivities<Pick<SessionActivities, 'consumeEvents' | 'settle'>>({
  // A request is accepted when the workflow task ends, and its caller waits five seconds for that.
  startToCloseTimeout: '2 seconds',
  retry: { maximumAttempts: 1 },
});

/**
 * Runs a step within the workflow task, else as an activity. `isRepeated`: the first attempt may have written its result before it failed, or may
 * still write it.
 */
async function stepOf<Result>(
  local: () => Promise<Result>,
  activity: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly isRepeated: boolean }> {
  try {
    return { result: await local(), isRepeated: false };
  } catch (error) {
    if (isCancellation(error)) throw error;
    const isRepeated = failureReason(error) !== 'Deferred';
    return { result: await activity(), isRepeated };
  }
}

type Outcome = 'completed' | 'interrupted' | 'given up';

/** One run of a session's workflow: its state and the steps that send events to it. `workflow.ts` orders the steps. */
export class SessionRun {
  readonly input: SessionInput;
  readonly ref: { readonly tenantId: string; readonly sessionId: string };
  readonly model: SummariseActivities;
  private current: MachineState;
  /** The answer to every request from now on, because the run ends. */
  private finalAnswer: AskResult | null = null;
  private readonly requests: { readonly what: Ask; readonly resolve: (answer: AskResult) => void }[] = [];

  constructor(input: SessionInput) {
    this.input = input;
    this.ref = { tenantId: input.tenantId, sessionId: input.sessionId };
    this.model = proxyActivities<SummariseActivities>(modelCalls(input.tenantId));
    this.current = initialState(input);
  }

  get state(): MachineState {
    return this.current;
  }

  apply(event: SessionEvent): void {
    this.current = transition(this.current, event);
  }

  get waitsForBatch(): boolean {
    return waitsForBatch(this.state, this.input.policy.mode === 'batch');
  }

  get hasWindows(): boolean {
    return hasWindows(this.state);
  }

  /** The run has to continue as new. */
  get isLong(): boolean {
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    return continueAsNewSuggested || historyLength >= MAX_HISTORY_EVENTS;
  }

  /** Rows were captured, or the run has to continue as new: closing and a requested summary are interrupted while they wait for a provider. */
  get isReopened(): boolean {
    return this.state.hinted || this.isLong;
  }

  /** Whether models process the session. */
  get infers(): boolean {
    return this.state.consumption?.infer !== false;
  }

  /** Enters a phase, and writes it to Temporal's search attributes. */
  markInTemporal(phase: SessionPhase): void {
    this.apply({ type: 'phaseEntered', phase });
    const { consumption, waiting } = this.state;
    upsertSearchAttributes([
      { key: ATTRIBUTES.project, value: consumption?.projectId ?? null },
      { key: ATTRIBUTES.phase, value: phase },
      { key: ATTRIBUTES.waiting, value: waiting?.reason ?? null },
    ]);
  }

  /** Enters a phase, and writes it to Temporal's search attributes and to PostgreSQL. */
  async markEverywhere(phase: SessionPhase): Promise<void> {
    this.markInTemporal(phase);
    await database.updateSessionPhase({
      ...this.ref,
      phase,
      waitingReason: this.state.waiting?.reason ?? null,
      lastError: this.state.carried.lastError,
      workflowId: workflowInfo().workflowId,
    });
  }

  async consumeEvents(closeOpen: 'idle' | 'requested' | null): Promise<ConsumeResult> {
    // The rest of a long backlog leaves its place to other sessions after each step.
    const isBacklog = this.state.consumption?.more === true;
    this.apply({ type: 'consumptionStarted' });
    const step = { ...this.ref, policy: this.input.policy, closeOpen, phase: this.state.phase };
    const activity = () => database.consumeEvents(step);
    const { result, isRepeated } = isBacklog
      ? { result: await activity(), isRepeated: false }
      : await stepOf(() => withinTask.consumeEvents(step), activity);
    this.apply({ type: 'consumed', result, nowMs: Date.now() });
    // An attempt whose result was lost may have requested vectors: the repeated one finds nothing new and sends no hint.
    if (result.isIndexRequested || isRepeated) await database.hintIndex(this.ref);
    return result;
  }

  /**
   * Calls the model, and waits while the provider is unavailable. Returns `interrupted` once `interrupted` returns true; `given up` after a
   * permanent failure, which is shown.
   */
  async withProvider(work: () => Promise<void>, interrupted: () => boolean): Promise<Outcome> {
    for (let failures = 0; ; failures += 1) {
      try {
        await work();
        return 'completed';
      } catch (error) {
        const wait = providerWait(error, failures, this.input.policy.retryMs);
        this.apply({ type: 'modelFailed', error: wait?.reason ?? failureReason(error) });
        if (wait === null) {
          await this.markEverywhere(this.state.phase);
          return 'given up';
        }
        this.apply({ type: 'waitStarted', reason: wait.reason, untilMs: Date.now() + wait.delayMs });
        await this.markEverywhere(this.state.phase);
        const woken = await condition(() => interrupted() || this.state.retryRequested, wait.delayMs);
        this.apply({ type: 'waitEnded' });
        if (woken && interrupted()) return 'interrupted';
        this.apply({ type: 'retryStarted' });
      }
    }
  }

  /** Ends the session. Returns false if something new was captured. */
  async settle(): Promise<boolean> {
    const { result } = await stepOf(
      () => withinTask.settle(this.ref),
      () => database.settle(this.ref),
    );
    return result.settled;
  }

  /** Summarises the session. Returns the outcome and the current summary; without inference there is none. */
  async summariseSession(
    phase: SessionPhase,
    interrupted: () => boolean,
  ): Promise<{ readonly outcome: Outcome; readonly summaryId: string | null }> {
    let summaryId: string | null = null;
    if (!this.infers) return { outcome: 'completed', summaryId };
    const outcome = await this.withProvider(async () => {
      const cost = await this.model.summariseSession({ ...this.ref, phase });
      summaryId = cost.summaryId ?? null;
      this.apply({ type: 'modelUsed', cost });
    }, interrupted);
    return { outcome, summaryId };
  }

  /** Records a request. Resolves when it is completed, or when the run has to end first. */
  ask(what: Ask): Promise<AskResult> {
    this.apply({ type: 'requested', what });
    // The run only waits for its handlers: a request that waited for the run would never end.
    if (this.finalAnswer !== null) return Promise.resolve(this.finalAnswer);
    return new Promise((resolve) => {
      this.requests.push({ what, resolve });
    });
  }

  /** Answers the requests that are completed. A close that was requested meanwhile stays open after a summary. */
  reply(done: Ask, summaryId: string | null, settled: boolean): void {
    const lastError = summaryId === null ? this.state.carried.lastError : null;
    this.apply({ type: 'answered', what: done });
    for (const request of this.requests.splice(0)) {
      if (answers(done, request.what)) request.resolve({ summaryId, settled, lastError });
      else this.requests.push(request);
    }
  }

  /** Answers all requests, also those that come until the run has ended. The next run completes them. */
  answerAll(answer: AskResult): void {
    this.finalAnswer = answer;
    for (const { resolve } of this.requests.splice(0)) resolve(answer);
  }

  /** The run does not end after all: requests wait again. */
  resume(): void {
    this.finalAnswer = null;
  }
}
