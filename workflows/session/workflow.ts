import {
  allHandlersFinished,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  executeChild,
  ParentClosePolicy,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import { learningWorkflowId } from '../ids.ts';
import { learning } from '../learning/workflow.ts';
import { INDEX_CHECK_MS, MAX_PROVIDER_WAIT_MS, MAX_ROUNDS, MAX_SIGNALS } from './limits.ts';
import { HINT_SIGNAL, INDEXED_SIGNAL, STATE_QUERY } from './messages.ts';
import { database, modelOf } from './policy.ts';
import { failureReason, providerWait } from './provider-wait.ts';
import type { CloseResult, SessionInput, SessionPhase, SessionState, SessionView, TakeInResult } from './types.ts';

const hint = defineSignal(HINT_SIGNAL);
const indexed = defineSignal(INDEXED_SIGNAL);
const stateQuery = defineQuery<SessionView>(STATE_QUERY);

const PHASE = { name: 'RecollectPhase', type: 'KEYWORD' } as const;
const PROJECT = { name: 'RecollectProject', type: 'KEYWORD' } as const;
const WAITING = { name: 'RecollectWaiting', type: 'KEYWORD' } as const;

const FIRST: SessionState = {
  runs: 0,
  takenIn: 0,
  windowsSummarised: 0,
  windowsParked: 0,
  modelCalls: 0,
  spentTokens: 0,
  spentUsd: 0,
  lastError: null,
};

/** The model's work on windows, which goes on beside the taking in of captures. */
interface Lane {
  running: Promise<void> | null;
  broken: Error | null;
}

/**
 * Owns one session from its first capture to its settled end: takes captures in when hinted or when it is time to look, has windows
 * summarised beside that, and when the session is over has it summed up, learned from and indexed. A capture that comes during the
 * closing sends it back to work; one that comes after the end starts a new run under the same id.
 */
export async function session(input: SessionInput): Promise<void> {
  const ref = { tenantId: input.tenantId, sessionId: input.sessionId };
  const model = modelOf(input.tenantId);
  const workflowId = workflowInfo().workflowId;
  const state = { ...(input.state ?? FIRST), runs: (input.state?.runs ?? 0) + 1 };
  let phase: SessionPhase = 'active';
  let waiting: SessionView['waiting'] = null;
  let taken: TakeInResult | null = null;
  // A run begins with a look at what is stored, so that no hint can be lost between two runs.
  let hinted = true;
  let vectorsDone = false;
  let signals = 0;
  let rounds = 0;
  let leaving = false;
  const lane: Lane = { running: null, broken: null };

  setHandler(hint, () => {
    hinted = true;
    signals += 1;
  });
  setHandler(indexed, () => {
    vectorsDone = true;
    signals += 1;
  });
  setHandler(stateQuery, () => ({
    ...state,
    phase,
    consumedSeq: taken?.consumedSeq ?? 0,
    windowsCut: taken?.windowsCut ?? 0,
    waiting,
  }));

  const show = async (next: SessionPhase): Promise<void> => {
    const reason = waiting?.reason ?? null;
    phase = next;
    upsertSearchAttributes([
      { key: PROJECT, value: taken?.projectId ?? null },
      { key: PHASE, value: next },
      { key: WAITING, value: reason },
    ]);
    await database.showPhase({ ...ref, phase: next, waitingReason: reason, lastError: state.lastError, workflowId });
  };

  /**
   * Does model work, waiting out the provider where it is away. `interrupted` as soon as the caller's condition says so; `given up` for
   * what no attempt can mend: that is shown, and what was captured stays where it is.
   */
  const withProvider = async (
    work: () => Promise<void>,
    interrupted: () => boolean,
  ): Promise<'done' | 'interrupted' | 'given up'> => {
    for (let failures = 0; ; failures += 1) {
      try {
        await work();
        return 'done';
      } catch (error) {
        const wait = providerWait(error, failures, input.policy.retryMs);
        state.lastError = wait?.reason ?? failureReason(error);
        if (wait === null) {
          await show(phase);
          return 'given up';
        }
        waiting = { reason: wait.reason, untilMs: Date.now() + wait.delayMs };
        await show(phase);
        const stopped = await condition(interrupted, wait.delayMs);
        waiting = null;
        if (stopped) return 'interrupted';
      }
    }
  };

  const spend = (cost: CloseResult): void => {
    state.modelCalls += cost.calls;
    state.spentTokens += cost.tokens;
    state.spentUsd += cost.usd;
  };

  const takeIn = async (closeOpen: 'idle' | null): Promise<TakeInResult> => {
    // Cleared before the look: a hint that comes during it asks for another one.
    hinted = false;
    rounds += 1;
    const result = await database.takeIn({ ...ref, policy: input.policy, closeOpen });
    state.takenIn += 1;
    taken = result;
    if (result.more) hinted = true;
    if (result.indexWanted) await database.hintIndex(ref);
    return result;
  };

  /** Summarises what is cut, one window after another, while the session goes on being captured. */
  const summariseWindows = async (): Promise<void> => {
    if (phase === 'active') await show('summarising');
    while (!leaving && taken !== null && taken.windowsCut > 0) {
      const outcome = await withProvider(
        async () => {
          const result = await model.summariseNextWindow(ref);
          spend(result);
          state.windowsSummarised += 1;
          state.windowsParked = result.windowsParked;
          if (taken !== null) taken = { ...taken, windowsCut: result.windowsCut };
        },
        () => leaving,
      );
      if (outcome === 'interrupted') return;
      // A window that nothing can be done for is parked by its activity; what fails beyond that is looked at again much later.
      if (outcome === 'given up') await condition(() => leaving, MAX_PROVIDER_WAIT_MS);
    }
    if (phase === 'summarising' && !leaving) await show('active');
    await database.hintIndex(ref);
  };

  const startLane = (): void => {
    lane.running = summariseWindows()
      .catch((error: unknown) => {
        lane.broken = error instanceof Error ? error : new Error('the model lane broke');
      })
      .finally(() => {
        lane.running = null;
      });
  };

  /** Sums the session up, learns from it and waits for its vectors. False as soon as something new was captured. */
  const close = async (): Promise<boolean> => {
    await show('closing');
    // Something new was captured, or the history has grown long with waiting and is to be begun anew.
    const reopened = () => hinted || workflowInfo().continueAsNewSuggested;
    const summedUp = await withProvider(async () => spend(await model.summariseSession(ref)), reopened);
    if (summedUp === 'interrupted') return false;
    const learned = await withProvider(async () => {
      const result = await executeChild(learning, {
        workflowId: learningWorkflowId(ref.tenantId, ref.sessionId),
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        parentClosePolicy: ParentClosePolicy.TERMINATE,
        args: [ref],
      });
      spend(result);
    }, reopened);
    if (learned === 'interrupted') return false;
    vectorsDone = false;
    await database.hintIndex(ref);
    for (
      let checkMs = INDEX_CHECK_MS;
      (await database.countPending(ref)).pending > 0;
      checkMs = Math.min(checkMs * 2, MAX_PROVIDER_WAIT_MS)
    ) {
      const told = await condition(() => vectorsDone || reopened(), checkMs);
      if (reopened()) return false;
      vectorsDone = false;
      if (!told && waiting === null) {
        waiting = { reason: 'VectorsPending', untilMs: Date.now() + checkMs };
        await show('closing');
      }
    }
    waiting = null;
    if (hinted) return false;
    const { settled } = await database.settle(ref);
    return settled;
  };

  for (;;) {
    const look = await takeIn(null);
    if (look.gone) return;
    if (lane.broken !== null) throw lane.broken;
    if (look.windowsCut > 0 && lane.running === null) startLane();

    if (signals >= MAX_SIGNALS || rounds >= MAX_ROUNDS || workflowInfo().continueAsNewSuggested) {
      leaving = true;
      await condition(() => lane.running === null);
      await condition(allHandlersFinished);
      await continueAsNew<typeof session>({ ...input, state });
    }

    if (!hinted && (look.ended || look.idle) && lane.running === null) {
      const rest = look.ended ? look : await takeIn('idle');
      const again = rest.windowsCut > 0 || (await database.requeueParked(ref)).requeued > 0;
      if (!again && !hinted && (await close())) {
        phase = 'settled';
        upsertSearchAttributes([
          { key: PHASE, value: 'settled' },
          { key: WAITING, value: null },
        ]);
        if (!hinted) return;
      }
      waiting = null;
      if (!again && phase !== 'active') await show('active');
      continue;
    }
    const running = lane.running;
    await condition(
      () => hinted || lane.broken !== null || (running !== null && lane.running === null),
      look.checkAfterMs,
    );
  }
}
