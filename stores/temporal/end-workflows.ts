import type { Client } from '@temporalio/client';
import { JOBS } from '../../workflows/registry.ts';
import { isNotFound } from './unavailable.ts';

const AT_ONCE = 16;
const LOOKS = 20;
const PAUSE_MS = 250;
const REASON = 'the database was restored to an earlier time';

/** All workflows except restores and those that serve the complete instance and read only the tables. */
const OF_TENANTS = `ExecutionStatus = 'Running' AND WorkflowId NOT STARTS_WITH '${JOBS.operation.prefix}/' AND WorkflowId NOT STARTS_WITH '${JOBS.restore.prefix}/'`;

/**
 * Terminates every workflow that stores positions of rows, which a restore resets; returns their number. Required ones are started again from the tables.
 * Lists several times, because Temporal's lists lag.
 */
export async function endTenantWorkflows(client: Client): Promise<number> {
  const ended = new Set<string>();
  for (let look = 0; look < LOOKS; look += 1) {
    const found: { workflowId: string; runId: string }[] = [];
    for await (const { workflowId, runId } of client.workflow.list({ query: OF_TENANTS }))
      if (!ended.has(runId)) found.push({ workflowId, runId });
    if (found.length === 0) break;
    for (let from = 0; from < found.length; from += AT_ONCE)
      await Promise.all(
        found.slice(from, from + AT_ONCE).map(async ({ workflowId, runId }) => {
          try {
            await client.workflow.getHandle(workflowId, runId).terminate(REASON);
          } catch (error) {
            // It ended meanwhile.
            if (!isNotFound(error)) throw error;
          }
          ended.add(runId);
        }),
      );
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  return ended.size;
}
