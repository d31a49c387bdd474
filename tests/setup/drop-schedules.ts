import { ScheduleNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { OPERATIONS, operationsWorkflowId } from '../../workflows/ids.ts';
import type { Operation } from '../../workflows/ids.ts';

/** Deletes the schedules of a namespace that is no longer used: otherwise two of them run every minute for each finished test. */
export async function dropSchedules(client: Client, operations: readonly Operation[] = OPERATIONS): Promise<void> {
  await Promise.all(
    operations.map((name) =>
      client.schedule
        .getHandle(operationsWorkflowId(name))
        .delete()
        .catch((error: unknown) => {
          if (!(error instanceof ScheduleNotFoundError)) throw error;
        }),
    ),
  );
}
