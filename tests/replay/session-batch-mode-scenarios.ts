import { SUMMARISED_SIGNAL, SUMMARISE_NOW_UPDATE } from '../../workflows/session/types.ts';
import type { AskResult } from '../../workflows/session/types.ts';
import type { Scenario } from './scenario.ts';
import { ENDED, LIVE, POLICY, script, start, SUMMARY, viewWhen } from './session-script.ts';

const BATCH_MODE = { ...POLICY, mode: 'batch' } as const;

/** Results of `offerWindows`: the windows are batched until `finish` is called. */
function batchedUntilFinished(): { readonly finish: () => void; readonly offerWindows: () => Promise<typeof DONE> } {
  let isDone = false;
  return {
    finish: () => {
      isDone = true;
    },
    offerWindows: async () => (isDone ? DONE : { ...DONE, windowsBatched: 2 }),
  };
}
const DONE = { windowsPending: 0, windowsBatched: 0, windowsParked: 0 };

function batchMode(): Scenario {
  const batch = batchedUntilFinished();
  return {
    workflow: 'session',
    shape: 'batch',
    // The session has ended and its windows are in a batch: it waits for them before its summary.
    activities: () => script([{ ...ENDED, windowsPending: 2 }, ENDED], { offerWindows: batch.offerWindows }),
    async run(client) {
      const handle = await start(client, undefined, BATCH_MODE);
      const view = await viewWhen(handle, ({ waiting }) => waiting?.reason === 'BatchPending');
      if (view.phase !== 'summarising') throw new Error(`the session is ${view.phase}`);
      batch.finish();
      await handle.signal(SUMMARISED_SIGNAL);
      await handle.result();
      return handle;
    },
  };
}

function summarisedNow(): Scenario {
  const batch = batchedUntilFinished();
  return {
    workflow: 'session',
    shape: 'batch-summarised-now',
    // A summary is requested while windows are in a batch: it covers the existing rows, and the session then waits for the batch.
    activities: () => script([{ ...LIVE, windowsPending: 2 }, LIVE], { offerWindows: batch.offerWindows }),
    async run(client) {
      const handle = await start(client, undefined, BATCH_MODE);
      await viewWhen(handle, ({ waiting }) => waiting?.reason === 'BatchPending');
      const answer = await handle.executeUpdate<AskResult, []>(SUMMARISE_NOW_UPDATE);
      if (answer.summaryId !== SUMMARY) throw new Error(JSON.stringify(answer));
      await viewWhen(handle, ({ waiting }) => waiting?.reason === 'BatchPending');
      batch.finish();
      await handle.signal(SUMMARISED_SIGNAL);
      await viewWhen(handle, ({ phase, waiting }) => phase === 'active' && waiting === null);
      await handle.terminate('recorded');
      return handle;
    },
  };
}

/** Sessions whose windows are in provider batches. */
export const BATCH_MODE_SCENARIOS: readonly Scenario[] = [batchMode(), summarisedNow()];
