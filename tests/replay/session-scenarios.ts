import { ApplicationFailure } from '@temporalio/common';
import type { Client, WorkflowHandleWithSignaledRunId } from '@temporalio/client';
import { learningWorkflowId, sessionWorkflowId } from '../../workflows/ids.ts';
import { QUEUES } from '../../workflows/queues.ts';
import {
  CLOSE_UPDATE,
  HINT_SIGNAL,
  INDEXED_SIGNAL,
  RETRY_SIGNAL,
  SESSION_WORKFLOW,
  SET_CAPTURE_UPDATE,
  SUMMARISE_NOW_UPDATE,
} from '../../workflows/session/messages.ts';
import { MAX_SIGNALS } from '../../workflows/session/limits.ts';
import type { session } from '../../workflows/session/workflow.ts';
import type {
  AskResult,
  SessionView,
  SetCaptureInput,
  SetCaptureResult,
  TakeInResult,
} from '../../workflows/session/types.ts';
import type { ScriptedActivities } from './scripted-workers.ts';
import { until } from '../setup/until.ts';
import type { Scenario } from './scenario.ts';

const TENANT = '018f0000-0000-7000-8000-00000000000a';
const SESSION = '018f0000-0000-7000-8000-00000000000b';
const SUMMARY = '018f0000-0000-7000-8000-00000000000f';
const POLICY = {
  windowTokens: 6_000,
  turnTokens: 1_500,
  quietMs: 120_000,
  maxAgeMs: 900_000,
  idleMs: 1_800_000,
  retryMs: 300,
};

const LIVE: TakeInResult = {
  projectId: '018f0000-0000-7000-8000-00000000000e',
  consumedSeq: 10,
  more: false,
  windowsCut: 0,
  ended: false,
  indexWanted: true,
  checkAfterMs: 60_000,
  idle: false,
  gone: false,
};
const ENDED: TakeInResult = { ...LIVE, consumedSeq: 20, ended: true, indexWanted: false };

type SessionHandle = WorkflowHandleWithSignaledRunId<typeof session>;

function start(client: Client): Promise<SessionHandle> {
  return client.workflow.signalWithStart<typeof session>(SESSION_WORKFLOW, {
    workflowId: sessionWorkflowId(TENANT, SESSION),
    taskQueue: QUEUES.session,
    signal: HINT_SIGNAL,
    args: [{ tenantId: TENANT, sessionId: SESSION, policy: POLICY }],
  });
}

/** Answers of a session that goes well: `looks` are those of takeIn, the last one for ever. */
function script(
  looks: readonly TakeInResult[],
  overrides: Partial<ScriptedActivities> = {},
): Partial<ScriptedActivities> {
  let look = 0;
  return {
    takeIn: async () => {
      const result = looks[Math.min(look, looks.length - 1)] ?? ENDED;
      look += 1;
      return result;
    },
    showPhase: async () => {},
    requeueParked: async () => ({ requeued: 0 }),
    hintIndex: async () => {},
    settle: async () => ({ settled: true, pending: 0 }),
    summariseWindows: async () => ({ windowsCut: 0, windowsParked: 0, summarised: 1, calls: 1, tokens: 900, usd: 0 }),
    summariseSession: async () => ({ calls: 1, tokens: 400, usd: 0, summaryId: SUMMARY }),
    extractLearnings: async () => ({ written: 3, calls: 1, tokens: 300, usd: 0, pending: 0 }),
    setCapture: async ({ on }) => ({ on }),
    ...overrides,
  };
}

async function viewWhen(handle: SessionHandle, wanted: (view: SessionView) => boolean): Promise<SessionView> {
  return until(async () => {
    const view = await handle.query<SessionView>('state');
    return wanted(view) ? view : undefined;
  });
}

/** The shapes that a session's history can have. Each scenario answers the workflow and run whose history is meant. */
export const SESSION_SCENARIOS: readonly Scenario[] = [
  {
    workflow: 'session',
    shape: 'few-tasks-happy',
    activities: () => script([LIVE, { ...ENDED, windowsCut: 1 }, ENDED]),
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
    shape: 'few-tasks-reopened',
    // Something is captured while the session is being closed: it is not settled, and goes on.
    activities: () => {
      let asked = 0;
      return script([ENDED], { settle: async () => ({ settled: (asked += 1) > 1, pending: 0 }) });
    },
    async run(client) {
      const handle = await start(client);
      await handle.result();
      return handle;
    },
  },
  {
    workflow: 'session',
    shape: 'few-tasks-provider-away',
    activities: () => {
      let asked = 0;
      return script([{ ...ENDED, windowsCut: 1 }, { ...ENDED, windowsCut: 1 }, ENDED], {
        summariseWindows: async () => {
          asked += 1;
          if (asked <= 3)
            throw ApplicationFailure.create({
              type: 'ProviderRateLimited',
              message: 'slow down',
              details: [400],
              nextRetryDelay: 50,
            });
          return { windowsCut: 0, windowsParked: 0, summarised: 1, calls: 1, tokens: 900, usd: 0.01 };
        },
      });
    },
    async run(client) {
      const handle = await start(client);
      const waiting = await viewWhen(handle, (view) => view.waiting !== null);
      if (waiting.waiting?.reason !== 'ProviderRateLimited') throw new Error(`waits for ${waiting.waiting?.reason}`);
      await handle.result();
      return handle;
    },
  },
  {
    workflow: 'session',
    shape: 'few-tasks-continued',
    activities: () => script([LIVE]),
    async run(client) {
      const handle = await start(client);
      const first = handle.signaledRunId;
      for (let sent = 1; sent < MAX_SIGNALS; sent += 100) {
        await Promise.all(Array.from({ length: Math.min(100, MAX_SIGNALS - sent) }, () => handle.signal(HINT_SIGNAL)));
      }
      await until(async () => {
        const description = await client.workflow.getHandle(handle.workflowId, first).describe();
        return description.status.name === 'CONTINUED_AS_NEW' ? true : undefined;
      });
      const next = await viewWhen(handle, (view) => view.runs === 2);
      if (next.takenIn < 1) throw new Error('the counters did not go on');
      await handle.terminate('recorded');
      return client.workflow.getHandle(handle.workflowId, first);
    },
  },
  {
    workflow: 'session',
    shape: 'few-tasks-idle',
    activities: () =>
      script([
        { ...LIVE, checkAfterMs: 100 },
        { ...LIVE, idle: true },
        { ...LIVE, idle: true, windowsCut: 1 },
        { ...LIVE, idle: true, windowsCut: 1 },
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
    shape: 'few-tasks-cancelled',
    activities: () => script([LIVE]),
    async run(client) {
      const handle = await start(client);
      await viewWhen(handle, (view) => view.takenIn > 0);
      await handle.cancel();
      await handle.result().catch(() => undefined);
      return handle;
    },
  },
  {
    workflow: 'session',
    shape: 'few-tasks-deleted',
    activities: () => script([{ ...LIVE, gone: true, indexWanted: false }]),
    async run(client) {
      const handle = await start(client);
      await handle.result();
      return handle;
    },
  },
  {
    workflow: 'session',
    shape: 'few-tasks-unsummarised',
    // The model never gives a usable summary of the whole session: it ends all the same, with the reason.
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
    shape: 'few-tasks-vectors-pending',
    activities: () => {
      let asked = 0;
      return script([ENDED], {
        extractLearnings: async () => ({ written: 1, calls: 1, tokens: 1, usd: 0, pending: 2 }),
        settle: async () => ((asked += 1) > 1 ? { settled: true, pending: 0 } : { settled: false, pending: 1 }),
      });
    },
    async run(client) {
      const handle = await start(client);
      // Told too early once: what is asked then still finds one missing.
      await viewWhen(handle, (view) => view.phase === 'closing' && view.modelCalls === 2);
      await handle.signal(INDEXED_SIGNAL);
      await viewWhen(handle, (view) => view.phase === 'closing');
      await until(async () => {
        const { events } = await handle.fetchHistory();
        const settles = events?.filter(
          (event) => event.activityTaskScheduledEventAttributes?.activityType?.name === 'settle',
        );
        return settles?.length === 1 ? true : undefined;
      });
      await handle.signal(INDEXED_SIGNAL);
      await handle.result();
      return handle;
    },
  },
  {
    workflow: 'session',
    shape: 'few-tasks-cut-meanwhile',
    // A window is cut while another one is summarised, and that call has counted already.
    activities: () => {
      let calls = 0;
      let counted: (() => void) | undefined;
      const looked = new Promise<void>((resolve) => {
        counted = resolve;
      });
      let look = 0;
      return script([], {
        takeIn: async () => {
          look += 1;
          if (look === 1) return { ...LIVE, windowsCut: 1 };
          setTimeout(() => counted?.(), 500);
          return { ...ENDED, windowsCut: calls > 1 ? 0 : 1 };
        },
        summariseWindows: async () => {
          calls += 1;
          if (calls === 1) await looked;
          return { windowsCut: 0, windowsParked: 0, summarised: 1, calls: 1, tokens: 900, usd: 0 };
        },
      });
    },
    async run(client) {
      const handle = await start(client);
      await viewWhen(handle, (view) => view.phase === 'summarising');
      await handle.signal(HINT_SIGNAL);
      await handle.result();
      return handle;
    },
  },
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
  {
    workflow: 'session',
    shape: 'few-tasks-continued-by-events',
    // A long session: every look finds more.
    activities: () => script([{ ...LIVE, more: true }]),
    async run(client) {
      const handle = await start(client);
      const first = handle.signaledRunId;
      await until(async () => {
        const description = await client.workflow.getHandle(handle.workflowId, first).describe();
        return description.status.name === 'CONTINUED_AS_NEW' ? true : undefined;
      }, 60_000);
      await handle.terminate('recorded');
      const run = client.workflow.getHandle(handle.workflowId, first);
      const { historyLength } = await run.describe();
      if (historyLength > 2_000) throw new Error(`the history holds ${historyLength} events`);
      return run;
    },
  },
  {
    workflow: 'learning',
    shape: 'happy',
    activities: () => script([ENDED]),
    async run(client) {
      const handle = await start(client);
      await handle.result();
      return client.workflow.getHandle(learningWorkflowId(TENANT, SESSION));
    },
  },
  {
    workflow: 'learning',
    shape: 'failed',
    activities: () => {
      let asked = 0;
      return script([ENDED], {
        extractLearnings: async () => {
          asked += 1;
          if (asked <= 3)
            throw ApplicationFailure.create({ type: 'ProviderOverloaded', message: 'overloaded', nextRetryDelay: 50 });
          return { written: 0, calls: 1, tokens: 1, usd: 0, pending: 0 };
        },
      });
    },
    async run(client) {
      const handle = await start(client);
      const child = client.workflow.getHandle(learningWorkflowId(TENANT, SESSION));
      const failed = await until(async () => {
        const description = await child.describe().catch(() => undefined);
        return description?.status.name === 'FAILED' ? description.runId : undefined;
      });
      await handle.result();
      return client.workflow.getHandle(learningWorkflowId(TENANT, SESSION), failed);
    },
  },
];
