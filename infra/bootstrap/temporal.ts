import { Client, Connection, ScheduleAlreadyRunning, ScheduleOverlapPolicy } from '@temporalio/client';
import type { ScheduleOptions } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import proto from '@temporalio/proto';
import { SEARCH_ATTRIBUTES } from '../../stores/temporal/search-attributes.ts';
import { CONSOLIDATION_WORKFLOW } from '../../workflows/consolidation/messages.ts';
import { operationsWorkflowId } from '../../workflows/ids.ts';
import { CAPTURE_SWEEP_WORKFLOW, PARTITIONS_WORKFLOW } from '../../workflows/operations/messages.ts';
import { QUEUES } from '../../workflows/queues.ts';
import { TRANSCRIPT_WATCH_WORKFLOW } from '../../workflows/transcripts/messages.ts';

export interface TemporalBootstrap {
  readonly address: string;
  readonly namespace: string;
  /** How often the capture sweep runs; default one minute. */
  readonly sweepIntervalMs?: number;
}

const RETENTION_MS = 7 * 24 * 3_600_000;
const SWEEP_INTERVAL_MS = 60_000;
const TRANSCRIPTS_INTERVAL_MS = 60_000;
/** 03:40 UTC: not with the other daily runs, at midnight. */
const CONSOLIDATION_OFFSET_MS = 220 * 60_000;
const ALREADY_EXISTS = 6;
const { IndexedValueType } = proto.temporal.api.enums.v1;

function isAlreadyThere(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === ALREADY_EXISTS;
}

function schedules(sweepIntervalMs: number): ScheduleOptions[] {
  return [
    {
      scheduleId: operationsWorkflowId('capture-sweep'),
      spec: { intervals: [{ every: sweepIntervalMs }] },
      action: {
        type: 'startWorkflow',
        workflowType: CAPTURE_SWEEP_WORKFLOW,
        taskQueue: QUEUES.session,
        workflowId: operationsWorkflowId('capture-sweep'),
      },
      // A sweep looks at the present: a missed one is not worth catching up, and two at once would do the same work twice.
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '10 seconds' },
    },
    {
      scheduleId: operationsWorkflowId('partitions'),
      spec: { intervals: [{ every: '1 day' }] },
      action: {
        type: 'startWorkflow',
        workflowType: PARTITIONS_WORKFLOW,
        taskQueue: QUEUES.session,
        workflowId: operationsWorkflowId('partitions'),
      },
      // One run after a long stop is enough, and it must not be left out: months go on while the machine is off.
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '7 days' },
    },
    {
      scheduleId: operationsWorkflowId('consolidation'),
      spec: { intervals: [{ every: '1 day', offset: CONSOLIDATION_OFFSET_MS }] },
      action: {
        type: 'startWorkflow',
        workflowType: CONSOLIDATION_WORKFLOW,
        taskQueue: QUEUES.session,
        workflowId: operationsWorkflowId('consolidation'),
      },
      // One run after a long stop does what all missed ones would have done; two at once would compare the same learnings.
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '1 day' },
    },
    {
      scheduleId: operationsWorkflowId('transcripts'),
      spec: { intervals: [{ every: TRANSCRIPTS_INTERVAL_MS }] },
      action: {
        type: 'startWorkflow',
        workflowType: TRANSCRIPT_WATCH_WORKFLOW,
        taskQueue: QUEUES.session,
        workflowId: operationsWorkflowId('transcripts'),
      },
      // One look finds all that was written since the last one: none is caught up on, and two at once would read the same files.
      policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '10 seconds' },
    },
  ];
}

async function createOrUpdate(client: Client, options: ScheduleOptions): Promise<void> {
  try {
    await client.schedule.create(options);
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
    const { spec, action, policies } = options;
    await client.schedule
      .getHandle(options.scheduleId)
      .update((before) => ({ ...before, spec, action, policies: policies ?? {} }));
  }
}

/** Makes the namespace, the search attributes and the schedules, or brings them up to date. Safe to run again. */
export async function bootstrapTemporal(options: TemporalBootstrap): Promise<void> {
  const connection = await Connection.connect({ address: options.address });
  try {
    await connection.workflowService
      .registerNamespace({ namespace: options.namespace, workflowExecutionRetentionPeriod: msToTs(RETENTION_MS) })
      .catch((error: unknown) => {
        if (!isAlreadyThere(error)) throw error;
      });
    const known = await connection.operatorService.listSearchAttributes({ namespace: options.namespace });
    const missing = Object.values(SEARCH_ATTRIBUTES).filter((key) => known.customAttributes[key.name] === undefined);
    if (missing.length > 0) {
      await connection.operatorService.addSearchAttributes({
        namespace: options.namespace,
        searchAttributes: Object.fromEntries(
          missing.map((key) => [key.name, IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD]),
        ),
      });
    }
    const client = new Client({ connection, namespace: options.namespace });
    for (const schedule of schedules(options.sweepIntervalMs ?? SWEEP_INTERVAL_MS))
      await createOrUpdate(client, schedule);
  } finally {
    await connection.close();
  }
}
