import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { expect, inject, test } from 'vitest';
import { bootstrapTemporal } from '../../infra/bootstrap/temporal.ts';
import { QUEUES } from '../../workflows/registry.ts';
import { createTestDatabase } from '../setup/database.ts';
import { testEnvironment } from '../setup/instance.ts';
import { freePort, startWorkerProcess } from '../setup/worker-process.ts';

test('a worker serves slots, latencies and cache size on the port of the setting', async () => {
  const { address } = inject('engines').temporal;
  const namespace = `metrics-${randomUUID()}`;
  await bootstrapTemporal({ address, namespace, operations: [] });
  const db = await createTestDatabase();
  const port = await freePort();
  const worker = await startWorkerProcess(
    testEnvironment(db, namespace, {
      RECOLLECT_WORKER_QUEUES: 'session,sweeps',
      RECOLLECT_WORKER_METRICS_PORT: String(port),
    }),
  );
  const connection = await Connection.connect({ address });
  try {
    const client = new Client({ connection, namespace });
    await client.workflow.execute('partitions', { workflowId: 'ops/partitions/test', taskQueue: QUEUES.session });
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    for (const metric of [
      'temporal_worker_task_slots_available',
      'temporal_workflow_task_schedule_to_start_latency_seconds_bucket',
      'temporal_activity_schedule_to_start_latency_seconds_bucket',
      'temporal_sticky_cache_size',
    ])
      expect(text).toContain(`${metric}{`);
    expect(text).toMatch(/temporal_worker_task_slots_available\{[^}]*task_queue="sweeps"/);
    // Loopback is served without a key: names only, no ids.
    expect(text).not.toContain('ops/partitions/test');
  } finally {
    await connection.close();
    expect(await worker.stop()).toBe(0);
    await db.close();
  }
});
