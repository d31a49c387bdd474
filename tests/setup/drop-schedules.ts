import { ScheduleNotFoundError } from '@temporalio/client';
import type { Client } from '@temporalio/client';
import { operationsWorkflowId } from '../../workflows/ids.ts';

const NAMES = ['capture-sweep', 'consolidation', 'partitions', 'transcripts'] as const;

/** Takes the schedules out of a namespace that nobody needs any more: else two of them come due each minute, for each test that has ended. */
export async function dropSchedules(client: Client): Promise<void> {
  await Promise.all(
    NAMES.map((name) =>
      client.schedule
        .getHandle(operationsWorkflowId(name))
        .delete()
        .catch((error: unknown) => {
          if (!(error instanceof ScheduleNotFoundError)) throw error;
        }),
    ),
  );
}
