import {
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  defineQuery,
  defineSignal,
  defineUpdate,
  isCancellation,
  setHandler,
} from '@temporalio/workflow';
import { closeSession } from './close.ts';
import { WindowSummariser } from './window-summariser.ts';
import {
  CLOSE_UPDATE,
  HINT_SIGNAL,
  INDEXED_SIGNAL,
  RETRY_SIGNAL,
  SET_CAPTURE_UPDATE,
  STATE_QUERY,
  SUMMARISED_SIGNAL,
  SUMMARISE_NOW_UPDATE,
} from './messages.ts';
import { database } from './policy.ts';
import { SessionRun } from './run.ts';
import type { AskResult, SessionInput, SessionView, SetCaptureInput, SetCaptureResult } from './types.ts';

const hint = defineSignal(HINT_SIGNAL);
const indexed = defineSignal(INDEXED_SIGNAL);
const retry = defineSignal(RETRY_SIGNAL);
const summarised = defineSignal(SUMMARISED_SIGNAL);
const stateQuery = defineQuery<SessionView>(STATE_QUERY);
const summariseNow = defineUpdate<AskResult>(SUMMARISE_NOW_UPDATE);
const close = defineUpdate<AskResult>(CLOSE_UPDATE);
const setCapture = defineUpdate<SetCaptureResult, [SetCaptureInput]>(SET_CAPTURE_UPDATE);

/** What was asked for is not done: the next run goes on with it, or nothing is left of the session. */
const NOT_DONE: AskResult = { summaryId: null, settled: false, lastError: null };

function listen(run: SessionRun): void {
  setHandler(hint, () => {
    run.hinted = true;
    run.signals += 1;
  });
  setHandler(indexed, () => {
    run.vectorsDone = true;
    run.signals += 1;
  });
  setHandler(summarised, () => {
    run.batchServed = true;
    run.signals += 1;
  });
  setHandler(retry, () => {
    run.retrying = true;
    run.hinted = true;
    run.signals += 1;
  });
  setHandler(stateQuery, () => run.view);
  setHandler(summariseNow, () => run.ask('summary'));
  setHandler(close, () => run.ask('close'));
  setHandler(setCapture, ({ on }) => database.setCapture({ ...run.ref, on }), {
    validator: (input) => {
      if (typeof input?.on !== 'boolean') throw new TypeError('on: must be true or false');
    },
  });
}

/**
 * Owns one session from its first capture to its settled end: takes captures in when hinted or when it is time to look, has windows
 * summarised beside that, and when the session is over has it summed up, learned from and indexed. A capture that comes during the
 * closing sends it back to work; one that comes after the end starts a new run under the same id.
 */
export async function session(input: SessionInput): Promise<void> {
  const run = new SessionRun(input);
  listen(run);
  try {
    await live(run);
  } catch (error) {
    if (isCancellation(error) && run.fewTasks) await CancellationScope.nonCancellable(() => run.show('cancelled'));
    throw error;
  }
}

async function live(run: SessionRun): Promise<void> {
  const lane = new WindowSummariser(run);
  for (;;) {
    const isDue = !run.fewTasks || run.hinted || Date.now() >= run.dueAtMs;
    const look = isDue || run.taken === null ? await run.consumeEvents(null) : run.taken;
    if (look.gone) return await leave(run, NOT_DONE);
    if (lane.broken !== null) throw lane.broken;
    if (run.retrying && lane.running === null) await takeUpAgain(run);
    if (run.hasWindows && lane.running === null) lane.start();

    if (run.isLong) {
      run.leaving = true;
      run.answerAll(NOT_DONE);
      await condition(() => lane.running === null);
      await condition(allHandlersFinished);
      await continueAsNew<typeof session>({ ...run.input, state: { ...run.state, asked: run.asked } });
    }

    const isOver = look.ended || look.idle;
    if (!run.hinted && (isOver || run.asked !== null) && lane.running === null) {
      if (await finish(run, look.ended, isOver)) return;
      continue;
    }
    const { running } = lane;
    const waitMs = run.fewTasks ? Math.max(run.dueAtMs - Date.now(), 1) : look.checkAfterMs;
    await condition(
      () =>
        run.hinted ||
        lane.broken !== null ||
        (run.asked !== null && lane.running === null) ||
        (running !== null && lane.running === null),
      waitMs,
    );
  }
}

/** Somebody asked to try again: parked windows get another turn. */
async function takeUpAgain(run: SessionRun): Promise<void> {
  run.retrying = false;
  const { requeued } = await database.requeueParked({ ...run.ref, again: true });
  if (requeued > 0 && run.taken !== null)
    run.taken = { ...run.taken, windowsPending: run.taken.windowsPending + requeued };
}

/** Sums up or ends the session, when nothing is left to be summarised before it. True when the run is over. */
async function finish(run: SessionRun, ended: boolean, isOver: boolean): Promise<boolean> {
  const { asked } = run;
  const rest = ended && asked === null ? run.taken : await run.consumeEvents(asked === null ? 'idle' : 'requested');
  if (rest?.gone === true) {
    await leave(run, NOT_DONE);
    return true;
  }
  let again = (rest?.windowsPending ?? 0) > 0;
  if (!again && (!run.fewTasks || (rest?.windowsParked ?? 0) > 0)) {
    again = (await database.requeueParked(run.ref)).requeued > 0;
    if (again) run.hinted = true;
  }
  if (!again && !run.hinted) {
    // While windows lie in a batch the session cannot end, and what is summed up is not the whole of it yet.
    if (asked === 'summary' && (!isOver || run.windowsBatched > 0)) {
      const { outcome, summaryId } = await run.sumUp(run.phase, () => run.isLong);
      if (outcome !== 'interrupted') run.reply('summary', summaryId, false);
      return false;
    }
    const { settled, summaryId } = await closeSession(run);
    if (settled) {
      run.markSettled();
      run.reply('close', summaryId, true);
      if (!run.hinted) {
        await leave(run, { summaryId, settled: true, lastError: run.state.lastError });
        // What was captured while an order was still being carried out.
        if (!run.hinted) return true;
        run.farewell = null;
      }
    } else if (asked === 'summary' && summaryId !== null) {
      run.reply('summary', summaryId, false);
    }
    run.hinted = true;
  }
  run.waiting = null;
  if (!again && run.phase !== 'active') {
    if (run.fewTasks) run.mark('active');
    else await run.show('active');
  }
  return false;
}

/** Lets whoever asked hear the answer before the run ends. */
async function leave(run: SessionRun, answer: AskResult): Promise<void> {
  if (!run.fewTasks) return;
  run.answerAll(answer);
  await condition(allHandlersFinished);
}
