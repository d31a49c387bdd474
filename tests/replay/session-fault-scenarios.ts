import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { SessionView } from '../../workflows/session/types.ts';
import type { Scenario } from './scenario.ts';
import { ENDED, script, start, viewWhen } from './session-script.ts';

/** The provider is unavailable until the session was seen to wait for it. */
function providerAway(): Scenario {
  let isAway = true;
  return {
    workflow: 'session',
    shape: 'provider-away',
    activities: () => {
      isAway = true;
      return script([{ ...ENDED, windowsPending: 1 }, { ...ENDED, windowsPending: 1 }, ENDED], {
        summariseWindows: async () => {
          if (isAway)
            throw ApplicationFailure.create({
              type: 'ProviderRateLimited',
              message: 'slow down',
              details: [400],
              nextRetryDelay: 50,
            });
          return { windowsPending: 0, windowsParked: 0, summarised: 1, calls: 1, tokens: 900, usd: 0.01 };
        },
      });
    },
    async run(client) {
      const handle = await start(client);
      const waiting = await viewWhen(handle, (view) => view.waiting !== null);
      if (waiting.waiting?.reason !== 'ProviderRateLimited') throw new Error(`waits for ${waiting.waiting?.reason}`);
      isAway = false;
      await handle.result();
      return handle;
    },
  };
}

/** A session that has to do without something, for a while or to its end. */
export const FAULT_SCENARIOS: readonly Scenario[] = [
  providerAway(),
  {
    workflow: 'session',
    shape: 'unsummarised',
    // The model never returns a usable session summary: the session still ends, with the reason.
    activities: () =>
      script([ENDED], {
        summariseSession: () =>
          Promise.reject(
            ApplicationFailure.create({ type: 'ModelOutputInvalid', message: 'not the schema', nonRetryable: true }),
          ),
      }),
    async run(client) {
      const handle = await start(client);
      await handle.result();
      const view = await handle.query<SessionView>('state');
      if (view.lastError !== 'ModelOutputInvalid') throw new Error(`the last error is ${view.lastError}`);
      return handle;
    },
  },
  {
    workflow: 'session',
    shape: 'deferred',
    // A burst of captures: no step runs within a workflow task.
    activities: () => {
      const deferred = <Result>(result: Result) => {
        if (Context.current().info.isLocal)
          return Promise.reject(ApplicationFailure.create({ type: 'Deferred', message: 'deferred' }));
        return Promise.resolve(result);
      };
      return script([], { consumeEvents: () => deferred(ENDED), settle: () => deferred({ settled: true }) });
    },
    async run(client) {
      const handle = await start(client);
      await handle.result();
      return handle;
    },
  },
];
