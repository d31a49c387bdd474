import '../setup/quiet-runtime.ts';
import { Client, Connection } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { bootstrapTemporal } from '../../infra/bootstrap/temporal.ts';
import { readBundle } from '../../workers/bundle.ts';
import type { BackupActivities } from '../../workflows/backup/types.ts';
import type { ConsistencyActivities } from '../../workflows/consistency/types.ts';
import type { ClaudeMemActivities } from '../../workflows/imports/types.ts';
import type { ErasureActivities } from '../../workflows/erasure/types.ts';
import type { ExportImportActivities } from '../../workflows/export-import/types.ts';
import type { AuditActivities, ConsolidationActivities } from '../../workflows/operations/types.ts';
import type { IndexActivities } from '../../workflows/indexing/types.ts';
import type { LearningActivities, SessionActivities, SummariseActivities } from '../../workflows/session/types.ts';
import type { ModelBatchActivities } from '../../workflows/model-batch/types.ts';
import type { MaintenanceActivities } from '../../workflows/operations/types.ts';
import { QUEUES } from '../../workflows/registry.ts';
import type { RestoreActivities } from '../../workflows/restore/types.ts';
import type { ReindexActivities } from '../../workflows/indexing/types.ts';
import type { StatisticsActivities } from '../../workflows/operations/types.ts';
import type { RetentionActivities } from '../../workflows/retention/types.ts';
import type { TranscriptActivities } from '../../workflows/imports/types.ts';

export type ScriptedActivities = SessionActivities &
  SummariseActivities &
  LearningActivities &
  IndexActivities &
  ModelBatchActivities &
  MaintenanceActivities &
  ConsolidationActivities &
  ReindexActivities &
  RetentionActivities &
  TranscriptActivities &
  BackupActivities &
  ConsistencyActivities &
  StatisticsActivities &
  AuditActivities &
  ClaudeMemActivities &
  ErasureActivities &
  ExportImportActivities &
  RestoreActivities;

export interface ScriptedWorkers {
  readonly client: Client;
  stop(): Promise<void>;
}

/** With `debugMode`, workflows run in this thread, and a long task does not fail: each start of their own thread takes half a second. */
const WORKFLOW_OPTIONS = { workflowBundle: readBundle(), debugMode: true };

/**
 * Runs the real workflow code on a real Temporal server with scripted activities, which bring a workflow into one exact shape.
 * An activity that the script omits fails.
 */
export async function startScriptedWorkers(
  address: string,
  namespace: string,
  activities: Partial<ScriptedActivities>,
): Promise<ScriptedWorkers> {
  // No schedules: nothing but the scenario is to run.
  await bootstrapTemporal({ address, namespace, operations: [] });
  const native = await NativeConnection.connect({ address });
  const workers = await Promise.all(
    Object.values(QUEUES).map((taskQueue) =>
      Worker.create({
        connection: native,
        namespace,
        taskQueue,
        activities,
        ...(taskQueue === QUEUES.session ? WORKFLOW_OPTIONS : {}),
      }),
    ),
  );
  const running = Promise.all(workers.map((worker) => worker.run()));
  const connection = await Connection.connect({ address });
  const client = new Client({ connection, namespace });
  return {
    client,
    async stop() {
      for (const worker of workers) worker.shutdown();
      await running;
      await native.close();
      await connection.close();
    },
  };
}
