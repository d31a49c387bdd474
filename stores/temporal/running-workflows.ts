import type { Client } from '@temporalio/client';
import { answeredWithin, isNotFound } from './unavailable.ts';

/** Running workflows. Every method rejects with TemporalUnavailable if Temporal is unavailable. */
export interface RunningWorkflows {
  /** Returns the ids of running workflows with this prefix, in pages; Temporal's list lags slightly. `prefix` consists of our own ids. */
  list(prefix: string): AsyncGenerator<readonly string[]>;
  /** Returns true if it is running. */
  isRunning(workflowId: string): Promise<boolean>;
  /** Terminates it; returns false if it is not running any more. */
  terminate(workflowId: string, reason: string): Promise<boolean>;
}

const TIMEOUT_MS = 10_000;
const PAGE = 1_000;

/** Running workflows through Temporal's client. */
export function createRunningWorkflows(client: Client): RunningWorkflows {
  const bounded = <Result>(work: () => Promise<Result>): Promise<Result> => answeredWithin(client, TIMEOUT_MS, work);
  return {
    async *list(prefix) {
      let token = new Uint8Array();
      do {
        const nextPageToken = token;
        const page = await bounded(() =>
          client.workflowService.listWorkflowExecutions({
            namespace: client.options.namespace,
            query: `ExecutionStatus = 'Running' AND WorkflowId STARTS_WITH '${prefix}'`,
            pageSize: PAGE,
            nextPageToken,
          }),
        );
        yield page.executions.flatMap(({ execution }) => execution?.workflowId ?? []);
        token = new Uint8Array(page.nextPageToken);
      } while (token.length > 0);
    },
    async isRunning(workflowId) {
      try {
        const { status } = await bounded(() => client.workflow.getHandle(workflowId).describe());
        return status.name === 'RUNNING';
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },
    async terminate(workflowId, reason) {
      try {
        await bounded(() => client.workflow.getHandle(workflowId).terminate(reason));
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },
  };
}
