import type { Client, WorkflowHandle } from '@temporalio/client';
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
