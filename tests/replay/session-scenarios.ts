import { withHeartbeat } from '../../activities/heartbeat.ts';
import { HINT_SIGNAL } from '../../workflows/session/types.ts';
import { until } from '../setup/until.ts';
import { LEARNING_SCENARIOS } from './learning-scenarios.ts';
import type { Scenario } from './scenario.ts';
import { REQUEST_SCENARIOS } from './session-request-scenarios.ts';
import { BATCH_MODE_SCENARIOS } from './session-batch-mode-scenarios.ts';
import { FAULT_SCENARIOS } from './session-fault-scenarios.ts';
import { continued, ENDED, sendMaxHints, LIVE, reading, script, start, viewWhen } from './session-script.ts';

/** A window is cut while another one is summarised, and that call has counted already. */
function cutMeanwhile(): Scenario {
  let release = (): void => undefined;
  return {
    workflow: 'session',
    shape: 'cut-meanwhile',
    activities: () => {
      let calls = 0;
      const released = new Promise<void>((resolve) => {
        release = resolve;
      });
      return script([], {
        consumeEvents: reading((call) =>
          call === 0 ? { ...LIVE, windowsPending: 1 } : { ...ENDED, windowsPending: calls > 1 ? 0 : 1 },
        ),
        summariseWindows: () =>
          withHeartbeat(async () => {
            calls += 1;
            if (calls === 1) await released;
            return { windowsPending: 0, windowsParked: 0, summarised: 1, calls: 1, tokens: 900, usd: 0 };
          }),
      });
    },
    async run(client) {
      const handle = await start(client);
      await viewWhen(handle, (view) => view.phase === 'summarising');
      await handle.signal(HINT_SIGNAL);
      await viewWhen(handle, (view) => view.consumedSeq === ENDED.consumedSeq);
      release();
      await handle.result();
      return handle;
    },
  };
}

/** The shapes of a session's history. Each scenario returns the run whose history has the shape. */
export const SESSION_SCENARIOS: readonly Scenario[] = [
  {
    workflow: 'session',
    shape: 'happy',
    activities: () => script([LIVE, { ...ENDED, windowsPending: 1 }, ENDED]),
    async run(client) {
      const handle = await start(client);
      await viewWhen(handle, (view) => view.consumedSeq === 10);
      await handle.signal(HINT_SIGNAL);
      await handle.result();
      return handle;
    },
  },
  {
    workflow: 'session',
    shape: 'reopened',
    // An event is captured while the session is closed: it is not settled and continues.
    activities: () => {
      let calls = 0;
      return script([ENDED], { settle: async () => ({ settled: (calls += 1) > 1 }) });
    },
    async run(client) {
      const handle = await start(client);
      await handle.result();
      return handle;
    },
  },
  {
    workflow: 'session',
    shape: 'continued',
    activities: () => script([LIVE]),
    async run(client) {
      const handle = await start(client);
      await sendMaxHints(handle);
      const first = await continued(client, handle);
      const next = await viewWhen(handle, (view) => view.runs === 2);
      if (next.consumed < 1) throw new Error('the counters did not go on');
      await handle.terminate('recorded');
      return first;
    },
  },
  {
    workflow: 'session',
    shape: 'continued-by-events',
    // A long session: every read finds more rows.
    activities: () => script([{ ...LIVE, more: true }]),
    async run(client) {
      const handle = await start(client);
      const first = handle.signaledRunId;
      await until(async () => {
        const description = await client.workflow.getHandle(handle.workflowId, first).describe();
        return description.status.name === 'CONTINUED_AS_NEW' ? true : undefined;
      }, 180_000);
      await handle.terminate('recorded');
      const run = client.workflow.getHandle(handle.workflowId, first);
      const { historyLength } = await run.describe();
      if (historyLength > 2_000) throw new Error(`the history has ${historyLength} events`);
      return run;
    },
  },
  {
    workflow: 'session',
    shape: 'idle',
    activities: () =>
      script([
        { ...LIVE, checkAfterMs: 100 },
        { ...LIVE, idle: true },
        { ...LIVE, idle: true, windowsPending: 1 },
        { ...LIVE, idle: true, windowsPending: 1 },
        { ...LIVE, idle: true },
      ]),
    async run(client) {
      const handle = await start(client);
      await handle.result();
      return handle;
    },
  },
  {
    workflow: 'session',
    shape: 'without-inference',
    activities: () => script([{ ...ENDED, infer: false, settled: true }]),
    async run(client) {
      const handle = await start(client);
      await handle.result();
      return handle;
    },
  },
  {
    workflow: 'session',
    shape: 'cancelled',
    activities: () => script([LIVE]),
    async run(client) {
      const handle = await start(client);
      await viewWhen(handle, (view) => view.consumed > 0);
      await handle.cancel();
      await handle.result().catch(() => undefined);
      return handle;
    },
  },
  {
    workflow: 'session',
    shape: 'deleted',
    activities: () => script([{ ...LIVE, deleted: true, isIndexRequested: false }]),
    async run(client) {
      const handle = await start(client);
      await handle.result();
      return handle;
    },
  },
  cutMeanwhile(),
  ...BATCH_MODE_SCENARIOS,
  ...REQUEST_SCENARIOS,
  ...FAULT_SCENARIOS,
  ...LEARNING_SCENARIOS,
];
