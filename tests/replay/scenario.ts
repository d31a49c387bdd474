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

/** Returns the first run of a workflow once it has continued as new, and ends the next one. */
export async function firstRun(client: Client, handle: WorkflowHandleWithFirstExecutionRunId): Promise<WorkflowHandle> {
  const first = client.workflow.getHandle(handle.workflowId, handle.firstExecutionRunId);
  await until(async () => ((await first.describe()).status.name === 'CONTINUED_AS_NEW' ? true : undefined), 240_000);
  await handle.terminate('recorded');
  return first;
}
