import { Client, Connection } from '@temporalio/client';
import proto from '@temporalio/proto';
import type { BenchInstance } from './bench-instance.ts';

const NAMESPACE = 'recollect';
const TASK_STARTED = proto.temporal.api.enums.v1.EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED;

/** Size of the histories of some workflows. */
export interface HistoryFigures {
  readonly runs: number;
  readonly tasks: number;
  readonly events: number;
  /** Events of the longest single history. */
  readonly longest: number;
}

/** Reads every run of the named workflows, including running ones. */
export async function historiesOf(instance: BenchInstance, workflowIds: ReadonlySet<string>): Promise<HistoryFigures> {
  const connection = await Connection.connect({ address: instance.temporalAddress });
  try {
    const client = new Client({ connection, namespace: NAMESPACE });
    const figures = { runs: 0, tasks: 0, events: 0, longest: 0 };
    for await (const run of client.workflow.list()) {
      if (!workflowIds.has(run.workflowId)) continue;
      const history = await client.workflow.getHandle(run.workflowId, run.runId).fetchHistory();
      const events = history.events ?? [];
      figures.runs += 1;
      figures.events += events.length;
      figures.tasks += events.filter((event) => event.eventType === TASK_STARTED).length;
      figures.longest = Math.max(figures.longest, events.length);
    }
    return figures;
  } finally {
    await connection.close();
  }
}
