import { condition, patched, upsertSearchAttributes, workflowInfo } from '@temporalio/workflow';
import { MAX_HISTORY_EVENTS, MAX_ROUNDS, MAX_SIGNALS } from './limits.ts';
import { database, modelOf } from './policy.ts';
import { failureReason } from '../failure-reason.ts';
import { providerWait } from '../provider-wait.ts';
import type {
  Ask,
  AskResult,
  CloseResult,
  SessionInput,
  SessionPhase,
  SessionState,
  SessionView,
  TakeInResult,
} from './types.ts';

const PHASE = { name: 'RecollectPhase', type: 'KEYWORD' } as const;
const PROJECT = { name: 'RecollectProject', type: 'KEYWORD' } as const;
const WAITING = { name: 'RecollectWaiting', type: 'KEYWORD' } as const;

type Mutable<T> = { -readonly [Field in keyof T]: T[Field] };

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

/** What one run of a session's workflow knows, and the steps that change it. The order of the steps is the workflow's. */
export class SessionRun {
  readonly input: SessionInput;
  readonly ref: { readonly tenantId: string; readonly sessionId: string };
  readonly model: ReturnType<typeof modelOf>;
  /** Steps show the phase and hint the index by themselves: about half the workflow tasks that a run of 0.1.0 needs. */
  readonly fewTasks: boolean;
  readonly state: Mutable<SessionState>;
  phase: SessionPhase = 'active';
  waiting: SessionView['waiting'] = null;
  taken: TakeInResult | null = null;
  /** When to look again though nobody hinted. Workflow time. */
  dueAtMs = 0;
  // A run begins with a look at what is stored, so that no hint can be lost between two runs.
  hinted = true;
  vectorsDone = false;
  /** Windows that lie in provider batches. A run of the batch mode does not know before it asked: then it is one. */
  windowsBatched: number;
  /** The model has no batches (any more). */
  isDirect = false;
  /** A batch told that windows of this session are done. */
  batchServed = false;
  /** Somebody said not to wait any longer. */
  retrying = false;
  signals = 0;
  rounds = 0;
  leaving = false;
  asked: Ask | null;
  /** The answer to everybody, once the run is about to end. */
  farewell: AskResult | null = null;
  private readonly askers: { readonly what: Ask; readonly resolve: (answer: AskResult) => void }[] = [];

  constructor(input: SessionInput) {
    this.input = input;
    this.ref = { tenantId: input.tenantId, sessionId: input.sessionId };
    this.model = modelOf(input.tenantId);
    this.fewTasks = patched('session-few-tasks');
    this.state = { ...(input.state ?? FIRST), runs: (input.state?.runs ?? 0) + 1 };
    this.asked = input.state?.asked ?? null;
    this.windowsBatched = this.isBatchMode ? 1 : 0;
  }

  /** Windows go into provider batches. */
  get isBatchMode(): boolean {
    return this.input.policy.lane === 'batch';
  }

  /** What is to be done next is to have windows gathered, or to wait for a batch. Whoever asked for a summary waits for it: then windows that are in no batch go the direct way. */
  get waitsForBatch(): boolean {
    if (!this.isBatchMode || this.asked === 'summary') return false;
    return !this.isDirect || (this.taken?.windowsPending ?? 0) === 0;
  }

  /** Windows wait for the model, or for a batch that nobody is in a hurry about. */
  get hasWindows(): boolean {
    return (this.taken?.windowsPending ?? 0) > 0 || (this.windowsBatched > 0 && this.asked !== 'summary');
  }

  get view(): SessionView {
    return {
      ...this.state,
      phase: this.phase,
      consumedSeq: this.taken?.consumedSeq ?? 0,
      windowsPending: this.taken?.windowsPending ?? 0,
      waiting: this.waiting,
    };
  }

  /** The history has grown long: the session goes on in a new one. */
  get isLong(): boolean {
    const info = workflowInfo();
    if (info.continueAsNewSuggested || this.signals >= MAX_SIGNALS) return true;
    return this.fewTasks ? info.historyLength >= MAX_HISTORY_EVENTS : this.rounds >= MAX_ROUNDS;
  }

  /** Something new was captured, or the history is to be begun anew: what is being closed must be left. */
  get isReopened(): boolean {
    return this.hinted || (this.fewTasks ? this.isLong : workflowInfo().continueAsNewSuggested);
  }

  /** Shows the phase where workflows are listed. */
  mark(next: SessionPhase): void {
    this.phase = next;
    upsertSearchAttributes([
      { key: PROJECT, value: this.taken?.projectId ?? null },
      { key: PHASE, value: next },
      { key: WAITING, value: this.waiting?.reason ?? null },
    ]);
  }

  /** The session is over; the project stays as it was shown. */
  markSettled(): void {
    this.phase = 'settled';
    upsertSearchAttributes([
      { key: PHASE, value: 'settled' },
      { key: WAITING, value: null },
    ]);
  }

  /** Shows the phase where workflows are listed and in the database. */
  async show(next: SessionPhase): Promise<void> {
    this.mark(next);
    await database.updateSessionPhase({
      ...this.ref,
      phase: next,
      waitingReason: this.waiting?.reason ?? null,
      lastError: this.state.lastError,
      workflowId: workflowInfo().workflowId,
    });
  }

  /** The phase that the next model step shows: by the step itself, or before it. */
  async enter(next: SessionPhase): Promise<void> {
    if (this.fewTasks) this.mark(next);
    else await this.show(next);
  }

  async consumeEvents(closeOpen: 'idle' | 'requested' | null): Promise<TakeInResult> {
    // Cleared before the look: a hint that comes during it asks for another one.
    this.hinted = false;
    this.rounds += 1;
    const shown = this.fewTasks ? { phase: this.phase } : {};
    const result = await database.consumeEvents({ ...this.ref, policy: this.input.policy, closeOpen, ...shown });
    this.state.consumed += 1;
    this.taken = result;
    this.dueAtMs = Date.now() + result.checkAfterMs;
    if (result.more) this.hinted = true;
    if (result.isIndexRequested) await database.hintIndex(this.ref);
    return result;
  }

  /**
   * Does model work, waiting out the provider where it is away. `interrupted` as soon as the caller's condition says so; `given up` for
   * what no attempt can mend: that is shown, and what was captured stays where it is.
   */
  async withProvider(
    work: () => Promise<void>,
    interrupted: () => boolean,
  ): Promise<'completed' | 'interrupted' | 'given up'> {
    for (let failures = 0; ; failures += 1) {
      try {
        await work();
        return 'completed';
      } catch (error) {
        const wait = providerWait(error, failures, this.input.policy.retryMs);
        this.state.lastError = wait?.reason ?? failureReason(error);
        if (wait === null) {
          await this.show(this.phase);
          return 'given up';
        }
        this.waiting = { reason: wait.reason, untilMs: Date.now() + wait.delayMs };
        await this.show(this.phase);
        const woken = await condition(() => interrupted() || this.retrying, wait.delayMs);
        this.waiting = null;
        if (woken && interrupted()) return 'interrupted';
        this.retrying = false;
      }
    }
  }

  spend(cost: CloseResult): void {
    this.state.modelCalls += cost.calls;
    this.state.spentTokens += cost.tokens;
    this.state.spentUsd += cost.usd;
  }

  /** Sums the session up; answers how that ended and the summary that stands. */
  async sumUp(
    phase: SessionPhase,
    interrupted: () => boolean,
  ): Promise<{ readonly outcome: 'completed' | 'interrupted' | 'given up'; readonly summaryId: string | null }> {
    let summaryId: string | null = null;
    const outcome = await this.withProvider(async () => {
      const input = this.fewTasks ? { ...this.ref, phase } : this.ref;
      const result = await this.model.summariseSession(input);
      summaryId = result.summaryId ?? null;
      this.spend(result);
    }, interrupted);
    return { outcome, summaryId };
  }

  /** Notes what is asked for; resolves when it is done, or when the run has to end first. */
  ask(what: Ask): Promise<AskResult> {
    // An end that was asked for includes the summary.
    if (this.asked !== 'close') this.asked = what;
    const { farewell } = this;
    // The run waits for nothing but its handlers any more: who waited for it here would wait for ever.
    if (farewell !== null) return Promise.resolve(farewell);
    return new Promise((resolve) => {
      this.askers.push({ what, resolve });
    });
  }

  /** Answers whoever asked for what was done; an end that was asked for meanwhile is still to be done after a summary. */
  reply(done: Ask, summaryId: string | null, settled: boolean): void {
    const isDone = (what: Ask) => what === done || done === 'close';
    const answer = { summaryId, settled, lastError: summaryId === null ? this.state.lastError : null };
    if (this.asked !== null && isDone(this.asked)) this.asked = null;
    for (const asker of this.askers.splice(0)) {
      if (isDone(asker.what)) asker.resolve(answer);
      else this.askers.push(asker);
    }
  }

  /** Answers whoever asked, or asks from now on, until the run has ended. What was not done is for the next run. */
  answerAll(answer: AskResult): void {
    this.farewell = answer;
    for (const { resolve } of this.askers.splice(0)) resolve(answer);
  }
}
