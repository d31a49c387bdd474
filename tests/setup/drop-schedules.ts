import { ScheduleNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { OPERATIONS, operationsWorkflowId } from '../../workflows/ids.ts';
import type { Operation } from '../../workflows/ids.ts';

/** Takes the schedules out of a namespace that nobody needs any more: else two of them come due each minute, for each test that has ended. */
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
