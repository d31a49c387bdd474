import { Context } from '@temporalio/activity';
import type { Client, WorkflowHandle, WorkflowHandleWithSignaledRunId } from '@temporalio/client';
import { workflowIdOf, QUEUES } from '../../workflows/registry.ts';
import { HINT_SIGNAL, STATE_QUERY } from '../../workflows/session/types.ts';
import type { SessionPolicy, SessionState, SessionView, ConsumeResult } from '../../workflows/session/types.ts';
import type { session } from '../../workflows/session/workflow.ts';
import { until } from '../setup/until.ts';
import { queriedWhen } from './scenario.ts';
import type { ScriptedActivities } from './scripted-workers.ts';

/** Whose histories they are: stored ones name these ids. */
export const TENANT = '018f0000-0000-7000-8000-00000000000a';
export const SESSION = '018f0000-0000-7000-8000-00000000000b';
export const SUMMARY = '018f0000-0000-7000-8000-00000000000f';
/** The limits of every session here. Waits for a provider are short. */
export const POLICY = {
  windowTokens: 6_000,
  turnTokens: 1_500,
  quietMs: 120_000,
  maxAgeMs: 900_000,
  idleMs: 1_800_000,
  retryMs: 300,
};

/** Results of `consumeEvents` for a live and an ended session. */
export const LIVE: ConsumeResult = {
  projectId: '018f0000-0000-7000-8000-00000000000e',
  consumedSeq: 10,
  more: false,
  windowsPending: 0,
  ended: false,
  isIndexRequested: true,
  checkAfterMs: 60_000,
  idle: false,
  infer: true,
  settled: false,
  deleted: false,
};
export const ENDED: ConsumeResult = { ...LIVE, consumedSeq: 20, ended: true, isIndexRequested: false };

/** State that an idle run passes to the next. */
export const ONE_RUN: SessionState = {
  runs: 1,
  consumed: 0,
  windowsSummarised: 0,
  windowsParked: 0,
  modelCalls: 0,
  spentTokens: 0,
  spentUsd: 0,
  lastError: null,
};

/** A session that was started by a hint. */
export type SessionHandle = WorkflowHandleWithSignaledRunId<typeof session>;

/** Starts the session as a hint does; with the state of a run before, as that run's end does. */
export function start(client: Client, state?: SessionState, policy: SessionPolicy = POLICY): Promise<SessionHandle> {
  return client.workflow.signalWithStart<typeof session>('session', {
    workflowId: workflowIdOf('session', TENANT, SESSION),
    taskQueue: QUEUES.session,
    signal: HINT_SIGNAL,
    args: [{ tenantId: TENANT, sessionId: SESSION, policy, ...(state === undefined ? {} : { state }) }],
  });
}

/**
 * Returns a `consumeEvents` of what `read` returns for the first call, the second, and so on. A call that took more than the two seconds that it has
 * within a workflow task, and is repeated as an activity, is the same one.
 */
export function reading(read: (call: number) => ConsumeResult): ScriptedActivities['consumeEvents'] {
  let calls = 0;
  let last: { readonly isLocal: boolean; readonly result: ConsumeResult } | null = null;
  return async () => {
    const { isLocal } = Context.current().info;
    // After a result with more, an activity is the next call.
    const isRepeated = !isLocal && last?.isLocal === true && !last.result.more;
    if (last === null || !isRepeated) {
      last = { isLocal, result: read(calls) };
      calls += 1;
    } else last = { ...last, isLocal };
    return last.result;
  };
}

/** Activities of a session without faults: `looks` are the results of consumeEvents, the last one repeated. */
export function script(
  looks: readonly ConsumeResult[],
  overrides: Partial<ScriptedActivities> = {},
): Partial<ScriptedActivities> {
  return {
    consumeEvents: reading((call) => looks[Math.min(call, looks.length - 1)] ?? ENDED),
    updateSessionPhase: async () => {},
    requeueParked: async () => ({ requeued: 0 }),
    hintIndex: async () => {},
    settle: async () => ({ settled: true }),
    summariseWindows: async () => ({
      windowsPending: 0,
      windowsParked: 0,
      summarised: 1,
      calls: 1,
      tokens: 900,
      usd: 0,
    }),
    summariseSession: async () => ({ calls: 1, tokens: 400, usd: 0, summaryId: SUMMARY }),
    extractLearnings: async () => ({ written: 3, calls: 1, tokens: 300, usd: 0 }),
    setCapture: async ({ on }) => ({ on }),
    offerWindows: async () => ({ windowsPending: 0, windowsBatched: 0, windowsParked: 0 }),
    ...overrides,
  };
}

/** Returns the workflow's state, once `wanted` accepts it. Rejects after the time limit. */
export function viewWhen(handle: SessionHandle, wanted: (view: SessionView) => boolean): Promise<SessionView> {
  return queriedWhen(handle, STATE_QUERY, wanted);
}

/** As many events as a run has at most. */
const HINTS = 1_400;

/** Sends more hints than a run accepts. */
export async function sendMaxHints(handle: SessionHandle): Promise<void> {
  for (let sent = 0; sent < HINTS; sent += 100)
    await Promise.all(Array.from({ length: 100 }, () => handle.signal(HINT_SIGNAL)));
}

/** Returns the session's first run, after it continued as new. */
export async function continued(client: Client, handle: SessionHandle): Promise<WorkflowHandle> {
  const first = client.workflow.getHandle(handle.workflowId, handle.signaledRunId);
  await until(async () => ((await first.describe()).status.name === 'CONTINUED_AS_NEW' ? true : undefined));
  return first;
}
