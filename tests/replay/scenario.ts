import { ServiceError } from '@temporalio/client';
import type { Client, WorkflowHandle, WorkflowHandleWithFirstExecutionRunId } from '@temporalio/client';
import { until } from '../setup/until.ts';
import type { ScriptedActivities } from './scripted-workers.ts';
import type { WorkflowName } from './shapes.ts';

/** Brings a workflow into one shape. */
export interface Scenario {
  readonly workflow: WorkflowName;
  readonly shape: string;
  /** Fresh scripted activities for one run of the scenario. */
  activities(): Partial<ScriptedActivities>;
  /** Returns the run whose history has the shape. */
  run(client: Client): Promise<Pick<WorkflowHandle, 'workflowId' | 'fetchHistory'>>;
}

/** Returns what a query of a workflow returns, once `wanted` accepts it. Throws after the time limit, with what it returned last. */
export function queriedWhen<View extends object>(
  handle: Pick<WorkflowHandle, 'query'>,
  query: string,
  wanted: (view: View) => boolean,
): Promise<View> {
  let last = 'a response';
  return until(
    async () => {
      try {
        const view = await handle.query<View>(query);
        last = `another view than ${JSON.stringify(view)}`;
        return wanted(view) ? view : undefined;
      } catch (error) {
        // A busy server refuses queries.
        if (!(error instanceof ServiceError)) throw error;
        last = `a response, not ${String(error.cause ?? error)}`;
        return undefined;
      }
    },
    undefined,
    async () => last,
  );
}

/** Returns the first run of a workflow once it has continued as new, and ends the next one. */
export async function firstRun(client: Client, handle: WorkflowHandleWithFirstExecutionRunId): Promise<WorkflowHandle> {
  const first = client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId);
  await until(async () => ((await first.describe()).status.name === 'CONTINUED_AS_NEW' ? true : undefined), 240_000);
  await handle.terminate('recorded');
  return first;
}
