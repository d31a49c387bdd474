import { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import {
  CLOSE_UPDATE,
  HINT_SIGNAL,
  RETRY_SIGNAL,
  SET_CAPTURE_UPDATE,
  SUMMARISE_NOW_UPDATE,
} from '../../workflows/session/messages.ts';
import type { AskResult, SetCaptureInput, SetCaptureResult } from '../../workflows/session/types.ts';
import type { Scenario } from './scenario.ts';
import { ENDED, floodUntilContinued, LIVE, ONE_RUN, script, start, SUMMARY, viewWhen } from './session-script.ts';

const carriedSchema = z.object({ state: z.looseObject({ asked: z.string().nullable(), modelCalls: z.number() }) });

/** A session that somebody asks for something. */
export const ASKED_SCENARIOS: readonly Scenario[] = [
  {
    workflow: 'session',
    shape: 'few-tasks-summarised-now',
    activities: () => script([LIVE, { ...LIVE, windowsCut: 1 }, LIVE]),
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
    shape: 'few-tasks-asked-before',
    // What the run before left unanswered is done once, and not carried into the next run again.
    activities: () => script([LIVE]),
    async run(client) {
      const handle = await start(client, { ...ONE_RUN, asked: 'summary' });
      await viewWhen(handle, (view) => view.modelCalls === 1);
      const first = await floodUntilContinued(client, handle);
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
    shape: 'few-tasks-closed',
    activities: () => script([LIVE, { ...LIVE, windowsCut: 1 }, LIVE]),
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
    shape: 'few-tasks-capture-off',
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
    shape: 'few-tasks-retried',
    // The provider says to come again in an hour; somebody who knows better does not wait for that.
    activities: () => {
      let asked = 0;
      return script([{ ...ENDED, windowsCut: 1, windowsParked: 1 }], {
        summariseWindows: async () => {
          asked += 1;
          if (asked === 1)
            throw ApplicationFailure.create({
              type: 'ProviderUnauthorised',
              message: 'no such key',
              details: [3_600_000],
              nonRetryable: false,
              nextRetryDelay: 3_600_000,
            });
          return { windowsCut: 0, windowsParked: 0, summarised: 1, calls: 1, tokens: 900, usd: 0 };
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
