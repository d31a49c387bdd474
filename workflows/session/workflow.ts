import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  isCancellation,
  patched,
  setHandler,
} from '@temporalio/workflow';
import { closeSession } from './close.ts';
import { WindowSummariser } from './window-summariser.ts';
import {
  CLOSE_UPDATE,
  HINT_SIGNAL,
  RETRY_SIGNAL,
  SET_CAPTURE_UPDATE,
  STATE_QUERY,
  SUMMARISED_SIGNAL,
  SUMMARISE_NOW_UPDATE,
} from './types.ts';
import { database, SessionRun } from './run.ts';
import { viewOf } from './state.ts';
import type { AskResult, SessionInput, SessionView, SetCaptureInput, SetCaptureResult } from './types.ts';

const hint = defineSignal(HINT_SIGNAL);
const retry = defineSignal(RETRY_SIGNAL);
const summarised = defineSignal(SUMMARISED_SIGNAL);
const stateQuery = defineQuery<SessionView>(STATE_QUERY);
const summariseNow = defineUpdate<AskResult>(SUMMARISE_NOW_UPDATE);
const close = defineUpdate<AskResult>(CLOSE_UPDATE);
const setCapture = defineUpdate<SetCaptureResult, [SetCaptureInput]>(SET_CAPTURE_UPDATE);

/** The request is not completed: the next run completes it, or the session was deleted. */
const NOT_COMPLETED: AskResult = { summaryId: null, settled: false, lastError: null };

function listen(run: SessionRun): void {
  setHandler(hint, () => run.apply({ type: 'hinted' }));
  setHandler(summarised, () => run.apply({ type: 'batchServed' }));
  setHandler(retry, () => run.apply({ type: 'retryRequested' }));
  setHandler(stateQuery, () => viewOf(run.state));
  setHandler(summariseNow, () => run.ask('summary'));
  setHandler(close, () => run.ask('close'));
  setHandler(setCapture, ({ on }) => database.setCapture({ ...run.ref, on }), {
    validator: (input) => {
      if (typeof input?.on !== 'boolean') throw new TypeError('on: must be true or false');
    },
  });
}

/**
 * Owns one session from its first event to its end: consumes events when hinted or due, summarises windows beside that, and closes the session
 * when it is over: session summary, learnings. Vectors are the index workflow's. An event during closing reopens it; one after the end starts a new run under the same id.
 */
export async function session(input: SessionInput): Promise<void> {
  const run = new SessionRun(input);
  listen(run);
  try {
    await live(run);
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => run.markEverywhere('cancelled'));
    throw error;
  }
}

async function live(run: SessionRun): Promise<void> {
  const summariser = new WindowSummariser(run);
  for (;;) {
    const { hinted, dueAtMs, consumption } = run.state;
    const isDue = hinted || Date.now() >= dueAtMs;
    const latest = isDue || consumption === null ? await run.consumeEvents(null) : consumption;
    if (latest.deleted) return await leave(run, NOT_COMPLETED);
    if (latest.settled) {
      if (await end(run, null)) return;
      continue;
    }
    if (summariser.failure !== null) throw summariser.failure;
    if (run.state.retryRequested && summariser.running === null) await requeueWindows(run);
    if (run.hasWindows && summariser.running === null) summariser.start();

    if (run.isLong) {
      run.apply({ type: 'continuing' });
      run.answerAll(NOT_COMPLETED);
      await condition(() => summariser.running === null);
      await condition(allHandlersFinished);
      await continueAsNew<typeof session>({ ...run.input, state: { ...run.state.carried, asked: run.state.asked } });
    }

    const isOver = latest.ended || latest.idle;
    if (!run.state.hinted && (isOver || run.state.asked !== null) && summariser.running === null) {
      if (await finish(run, latest.ended, isOver)) return;
      continue;
    }
    const { running } = summariser;
    await condition(
      () =>
        run.state.hinted ||
        summariser.failure !== null ||
        (run.state.asked !== null && summariser.running === null) ||
        (running !== null && summariser.running === null),
      Math.max(run.state.dueAtMs - Date.now(), 1),
    );
  }
}

/** Requeues parked windows after a requested retry. */
async function requeueWindows(run: SessionRun): Promise<void> {
  run.apply({ type: 'retryStarted' });
  const { requeued } = await database.requeueParked({ ...run.ref, again: true });
  if (requeued > 0) run.apply({ type: 'windowsRequeued', requeued });
}

/** Summarises or closes the session once no windows are pending. Returns whether the run is over. */
async function finish(run: SessionRun, ended: boolean, isOver: boolean): Promise<boolean> {
  const { asked } = run.state;
  const rest =
    ended && asked === null ? run.state.consumption : await run.consumeEvents(asked === null ? 'idle' : 'requested');
  if (rest?.deleted === true) {
    await leave(run, NOT_COMPLETED);
    return true;
  }
  if (rest?.settled === true) return end(run, null);
  let hasMore = (rest?.windowsPending ?? 0) > 0;
  if (!hasMore && (rest?.windowsParked ?? 0) > 0) {
    hasMore = (await database.requeueParked(run.ref)).requeued > 0;
    if (hasMore) run.apply({ type: 'workFound' });
  }
  if (!hasMore && !run.state.hinted) {
    // With windows in a batch the session cannot end, and a summary would be incomplete.
    if (asked === 'summary' && (!isOver || run.state.windowsBatched > 0)) {
      // Events that come while the provider is unavailable are consumed, then the summary is tried again.
      const consumesMeanwhile = patched('consume-during-summary');
      const interrupted = () => (consumesMeanwhile ? run.isReopened : run.isLong);
      const { outcome, summaryId } = await run.summariseSession(run.state.phase, interrupted);
      if (outcome !== 'interrupted') run.reply('summary', summaryId, false);
      // Jobs are listed by these attributes, and it does not wait any more.
      if (consumesMeanwhile) run.markInTemporal(run.state.phase);
      return false;
    }
    const { settled, summaryId } = await closeSession(run);
    if (settled) return end(run, summaryId);
    if (asked === 'summary' && summaryId !== null) run.reply('summary', summaryId, false);
    run.apply({ type: 'workFound' });
  }
  run.apply({ type: 'waitEnded' });
  if (!hasMore && run.state.phase !== 'active') run.markInTemporal('active');
  return false;
}

/** Ends the run of a settled session. Returns false if an event came meanwhile: the run continues. */
async function end(run: SessionRun, summaryId: string | null): Promise<boolean> {
  run.markInTemporal('settled');
  run.reply('close', summaryId, true);
  // An event may also come while an update is still being handled.
  if (!run.state.hinted) await leave(run, { summaryId, settled: true, lastError: run.state.carried.lastError });
  if (!run.state.hinted) return true;
  run.resume();
  run.markInTemporal('active');
  return false;
}

/** Answers open requests before the run ends. */
async function leave(run: SessionRun, answer: AskResult): Promise<void> {
  run.answerAll(answer);
  await condition(allHandlersFinished);
}
