import { Client, Connection, WorkflowNotFoundError } from '@temporalio/client';
import { expect, inject, test } from 'vitest';
import { BurstFlag, isBurst } from '../../stores/postgres/capture/burst-flag.ts';
import { createPool } from '../../stores/postgres/connection/pool.ts';
import { workflowIdOf } from '../../workflows/registry.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { sessionOf, settled } from '../setup/demo-session.ts';
import { captured, smallSession } from '../setup/small-session.ts';
import { until, untilTrue } from '../setup/until.ts';

const instance = fileInstance();

test('during a burst of captures their processing defers; it completes afterwards', { timeout: 240_000 }, async () => {
  const pool = createPool({
    url: instance.db.url('app'),
    max: 1,
    connectTimeoutMs: 60_000,
    statementTimeoutMs: 5_000,
    applicationName: 'burst',
    onIdleError: () => undefined,
  });
  const sign = new BurstFlag(pool, () => undefined);
  const connection = await Connection.connect({ address: inject('engines').temporal.address });
  const { workflow } = new Client({
    connection,
    namespace: instance.environment['RECOLLECT_TEMPORAL_NAMESPACE'] ?? '',
  });
  try {
    sign.show(true);
    await untilTrue(() => isBurst(instance.db.maintenance));
    await instance.startWorker();
    await captured(instance, smallSession('burst'));
    const { id } = await sessionOf(instance, 'test:burst');
    // The activity heartbeats only while it defers.
    await until(async () => {
      const handle = workflow.getHandle(workflowIdOf('session', instance.admin.tenantId, id));
      // The capture returns before its workflow starts.
      const { raw } = await handle.describe().catch((error: unknown) => {
        if (error instanceof WorkflowNotFoundError) return { raw: { pendingActivities: [] } };
        throw error;
      });
      return raw.pendingActivities?.some(
        (each) => each.activityType?.name === 'consumeEvents' && each.lastHeartbeatTime,
      )
        ? true
        : undefined;
    });
    const rows = await instance.rows('SELECT consumed_seq FROM sessions WHERE id = $1', [id]);
    expect(rows).toEqual([{ consumed_seq: 0 }]);
    sign.show(false);
    const after = await settled(instance, 'test:burst');
    expect(after.counts.summaries).toBeGreaterThan(0);
  } finally {
    await sign.close();
    await connection.close();
    await pool.end();
  }
});
