import { ApplicationFailure } from '@temporalio/common';
import { WorkflowUpdateStage } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { z } from 'zod';
import { withHeartbeat } from '../../activities/heartbeat.ts';
import {
  CLOSE_UPDATE,
  HINT_SIGNAL,
  RETRY_SIGNAL,
  SET_CAPTURE_UPDATE,
  SUMMARISE_NOW_UPDATE,
} from '../../workflows/session/types.ts';
import type { AskResult, SetCaptureInput, SetCaptureResult } from '../../workflows/session/types.ts';
import { until } from '../setup/until.ts';
import type { Scenario } from './scenario.ts';
import { continued, ENDED, sendMaxHints, LIVE, ONE_RUN, script, start, SUMMARY, viewWhen } from './session-script.ts';
import type { SessionHandle } from './session-script.ts';

const carriedSchema = z.object({ state: z.looseObject({ asked: z.string().nullable(), modelCalls: z.number() }) });

/** Waits until the window's summary is the only pending activity of the run. */
async function nothingButTheWindow(handle: SessionHandle): Promise<void> {
  await until(async () => {
    const { raw } = await handle.describe();
    const [only, ...others] = raw.pendingActivities ?? [];
    const isWindow = only?.activityType?.name === 'summariseWindows' && others.length === 0;
    return isWindow && !raw.pendingWorkflowTask ? true : undefined;
  });
}

/** A close is requested while a run waits for the model before it continues as new: the next run closes the session. */
function requestedWhileLeaving(): Scenario {
  let release = (): void => undefined;
  return {
    workflow: 'session',
    shape: 'asked-while-leaving',
    activities: () => {
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      return script([{ ...LIVE, windowsPending: 1 }, LIVE], {
        // With heartbeats: thousands of hints take longer than the activity may be silent.
        summariseWindows: () =>
          withHeartbeat(async () => {
            await released;
            return { windowsPending: 0, windowsParked: 0, summarised: 1, calls: 1, tokens: 900, usd: 0 };
          }),
      });
    },
    async run(client) {
      const handle = await start(client);
      await viewWhen(handle, (view) => view.phase === 'summarising');
      await sendMaxHints(handle);
      await nothingButTheWindow(handle);
      const answer = await handle.executeUpdate<AskResult, []>(CLOSE_UPDATE);
      if (answer.settled) throw new Error(JSON.stringify(answer));
      release();
      const first = await continued(client, handle);
      await client.workflow.getHandle(handle.workflowId).result();
      return first;
    },
  };
}

const ACCEPTED = { waitForStage: WorkflowUpdateStage.ACCEPTED } as const;

/** Starts a session, and requests a summary once its rows are consumed. */
async function requestSummary(client: Client) {
  const handle = await start(client);
  await viewWhen(handle, (view) => view.consumedSeq === 10);
  return { handle, summary: await handle.startUpdate<AskResult, []>(SUMMARISE_NOW_UPDATE, ACCEPTED) };
}

/** A close is requested while a requested summary is written: both are completed. */
function closedDuringSummary(): Scenario {
  let release = (): void => undefined;
  return {
    workflow: 'session',
    shape: 'closed-during-summary',
    activities: () => {
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      return script([LIVE], {
        summariseSession: async () => {
          await released;
          return { calls: 1, tokens: 400, usd: 0, summaryId: SUMMARY };
        },
      });
    },
    async run(client) {
      const { handle, summary } = await requestSummary(client);
      await until(async () => {
        const { raw } = await handle.describe();
        const names = raw.pendingActivities?.map((activity) => activity.activityType?.name);
        return names?.includes('summariseSession') === true ? true : undefined;
      });
      const close = await handle.startUpdate<AskResult, []>(CLOSE_UPDATE, ACCEPTED);
      release();
      const answers = [await summary.result(), await close.result()];
      if (answers.some(({ settled }, index) => settled !== (index === 1))) throw new Error(JSON.stringify(answers));
      await handle.result();
      return handle;
    },
  };
}

/** The provider of a requested summary is unavailable: a hint comes meanwhile and is consumed, the summary follows. */
function summarisedAfterOutage(): Scenario {
  let isOut = true;
  return {
    workflow: 'session',
    shape: 'summarised-after-outage',
    activities: () => {
      isOut = true;
      return script([LIVE, LIVE, { ...LIVE, consumedSeq: 11 }], {
        summariseSession: async () => {
          if (isOut)
            throw ApplicationFailure.create({
              type: 'ProviderRateLimited',
              message: 'slow down',
              details: [3_600_000],
              nextRetryDelay: 3_600_000,
            });
          return { calls: 1, tokens: 400, usd: 0, summaryId: SUMMARY };
        },
      });
    },
    async run(client) {
      const { handle, summary } = await requestSummary(client);
      await viewWhen(handle, (view) => view.waiting !== null);
      await handle.signal(HINT_SIGNAL);
      await viewWhen(handle, (view) => view.consumedSeq === 11 && view.waiting !== null);
      isOut = false;
      await handle.signal(RETRY_SIGNAL);
      const answer = await summary.result();
      if (answer.summaryId !== SUMMARY || answer.settled) throw new Error(JSON.stringify(answer));
      await handle.terminate('recorded');
      return handle;
    },
  };
}

/** Sessions that receive requests of users. */
export const REQUEST_SCENARIOS: readonly Scenario[] = [
  requestedWhileLeaving(),
  closedDuringSummary(),
  summarisedAfterOutage(),
  {
    workflow: 'session',
    shape: 'summarised-now',
    activities: () => script([LIVE, { ...LIVE, windowsPending: 1 }, LIVE]),
    async run(client) {
      const handle = await start(client);
      await viewWhen(handle, (view) => view.consumedSeq === 10);
      const answer = await handle.executeUpdate<AskResult, []>(SUMMARISE_NOW_UPDATE);
      if (answer.summaryId !== SUMMARY || answer.settled) throw new Error(JSON.stringify(answer));
      await handle.terminate('recorded');
      return handle;
    },
  },
  {
    workflow: 'session',
    shape: 'asked-before',
    // The request that the previous run left open is completed once and not carried into the next run.
    activities: () => script([LIVE]),
    async run(client) {
      const handle = await start(client, { ...ONE_RUN, asked: 'summary' });
      await viewWhen(handle, (view) => view.modelCalls === 1);
      await sendMaxHints(handle);
      const first = await continued(client, handle);
      await handle.terminate('recorded');
      const { events } = await first.fetchHistory();
      const [input] = events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.input?.payloads ?? [];
      const { state } = carriedSchema.parse(JSON.parse(Buffer.from(input?.data ?? []).toString('utf8')));
      if (state.asked !== null || state.modelCalls !== 1) throw new Error(JSON.stringify(state));
      return first;
    },
  },
  {
    workflow: 'session',
    shape: 'closed',
    activities: () => script([LIVE, { ...LIVE, windowsPending: 1 }, LIVE]),
    async run(client) {
      const handle = await start(client);
      await viewWhen(handle, (view) => view.consumedSeq === 10);
      const answer = await handle.executeUpdate<AskResult, []>(CLOSE_UPDATE);
      if (answer.summaryId !== SUMMARY || !answer.settled) throw new Error(JSON.stringify(answer));
      await handle.result();
      return handle;
    },
  },
  {
    workflow: 'session',
    shape: 'capture-off',
    activities: () => script([LIVE, ENDED]),
    async run(client) {
      const handle = await start(client);
      await viewWhen(handle, (view) => view.consumedSeq === 10);
      const answer = await handle.executeUpdate<SetCaptureResult, [SetCaptureInput]>(SET_CAPTURE_UPDATE, {
        args: [{ on: false }],
      });
      if (answer.on) throw new Error('capture is still on');
      await handle.signal(HINT_SIGNAL);
      await handle.result();
      return handle;
    },
  },
  {
    workflow: 'session',
    shape: 'retried',
    // The provider requests a wait of an hour; a user's retry ends it.
    activities: () => {
      let calls = 0;
      return script([{ ...ENDED, windowsPending: 1, windowsParked: 1 }], {
        summariseWindows: async () => {
          calls += 1;
          if (calls === 1)
            throw ApplicationFailure.create({
              type: 'ProviderUnauthorised',
              message: 'no such key',
              details: [3_600_000],
              nonRetryable: false,
              nextRetryDelay: 3_600_000,
            });
          return { windowsPending: 0, windowsParked: 0, summarised: 1, calls: 1, tokens: 900, usd: 0 };
        },
      });
    },
    async run(client) {
      const handle = await start(client);
      await viewWhen(handle, (view) => view.waiting !== null);
      await handle.signal(RETRY_SIGNAL);
      await handle.result();
      return handle;
    },
  },
];
