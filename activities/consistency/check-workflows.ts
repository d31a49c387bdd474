import { setTimeout as pause } from 'node:timers/promises';
import { knownSessions, openSessions, stillOpen } from '../../stores/postgres/consistency/sessions.ts';
import { workflowIdOf } from '../../workflows/registry.ts';
import { asId } from '../../domain/ids.ts';
import type { Comparison } from './comparison.ts';
import { reportProgress } from '../heartbeat.ts';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const AT_ONCE = 16;
const REASON = 'its session no longer exists';

/** Applies `work` to all items, some in parallel. */
async function each<Item>(
  items: readonly Item[],
  signal: AbortSignal,
  work: (item: Item) => Promise<void>,
): Promise<void> {
  for (let from = 0; from < items.length; from += AT_ONCE) {
    reportProgress(signal);
    await Promise.all(items.slice(from, from + AT_ONCE).map(work));
  }
}

/** Hints open sessions without a running workflow. */
async function checkSessions(comparison: Comparison, running: ReadonlySet<string>): Promise<void> {
  const { maintenance, tenantId, workflows, hints, tally, settleMs, signal, repair } = comparison;
  const suspects: string[] = [];
  for await (const page of openSessions(maintenance, tenantId)) {
    tally.look(page.length);
    suspects.push(...page.filter((id) => !running.has(id)));
  }
  if (suspects.length === 0) return;
  // Temporal's list lags behind, and a session may end meanwhile.
  await pause(settleMs, undefined, { signal });
  await each(await stillOpen(maintenance, suspects), signal, async (id) => {
    if (await workflows.isRunning(workflowIdOf('session', tenantId, id))) return;
    tally.find('session_without_workflow', 1);
    if (!repair) return;
    await hints.session(tenantId, asId(id));
    tally.repair('session_without_workflow', 1);
  });
}

/** Terminates workflows of sessions that no longer exist. */
async function checkOrphans(
  comparison: Comparison,
  running: ReadonlySet<string>,
  workflowIdOf: (sessionId: string) => string,
): Promise<void> {
  const { maintenance, tenantId, workflows, tally, settleMs, signal, repair } = comparison;
  const ids = [...running].filter((id) => UUID.test(id));
  const known = await knownSessions(maintenance, tenantId, ids);
  const suspects = ids.filter((id) => !known.has(id));
  if (suspects.length === 0) return;
  await pause(settleMs, undefined, { signal });
  const appeared = await knownSessions(maintenance, tenantId, suspects);
  await each(
    suspects.filter((id) => !appeared.has(id)),
    signal,
    async (id) => {
      const workflowId = workflowIdOf(id);
      if (!(await workflows.isRunning(workflowId))) return;
      tally.find('workflow_without_row', 1);
      if (repair && (await workflows.terminate(workflowId, REASON))) tally.repair('workflow_without_row', 1);
    },
  );
}

/** Compares a tenant's sessions with their workflows, both ways. */
export async function checkWorkflows(comparison: Comparison): Promise<void> {
  const { tenantId, workflows, tally } = comparison;
  const runningOf = async (prefix: string): Promise<ReadonlySet<string>> => {
    const running = new Set<string>();
    for await (const page of workflows.list(prefix)) for (const id of page) running.add(id.slice(prefix.length));
    tally.look(running.size);
    return running;
  };
  const sessions = await runningOf(workflowIdOf('session', tenantId, ''));
  await checkSessions(comparison, sessions);
  await checkOrphans(comparison, sessions, (id) => workflowIdOf('session', tenantId, id));
  const learnings = await runningOf(workflowIdOf('learning', tenantId, ''));
  await checkOrphans(comparison, learnings, (id) => workflowIdOf('learning', tenantId, id));
}
