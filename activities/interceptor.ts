import type { Context } from '@temporalio/activity';
import { ApplicationFailure, ApplicationFailureCategory } from '@temporalio/common';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import type { IndexActivities } from '../workflows/indexing/types.ts';
import type { SessionActivities, SummariseActivities } from '../workflows/session/types.ts';
import { toFailure } from './failures.ts';

/** An activity starts after at most this time: an endless burst must not block the work. */
const MAX_DEFER_MS = 30_000;
const POLL_MS = 500;

/** Activities that capture causes, which start when no burst of captures is reported. */
const DEFERRED: ReadonlySet<string> = new Set<
  keyof SessionActivities | keyof SummariseActivities | keyof IndexActivities
>(['consumeEvents', 'summariseWindows', 'summariseSession', 'embedBatch']);

/** Waits, heartbeating, while a burst is reported. @throws CancelledFailure; ApplicationFailure within a workflow task, whose place no step may wait in */
async function untilNoBurst(context: Context, isBurst: () => Promise<boolean>): Promise<void> {
  if (context.info.isLocal) {
    if (await isBurst())
      throw ApplicationFailure.create({
        type: 'Deferred',
        message: 'deferred during a burst of captures',
        category: ApplicationFailureCategory.BENIGN,
      });
    return;
  }
  const deadline = performance.now() + MAX_DEFER_MS;
  while (performance.now() < deadline && (await isBurst())) {
    context.heartbeat();
    await context.sleep(POLL_MS);
  }
}

/** Intercepts every activity: defers it during a burst of captures and turns whatever it throws into a typed failure. */
export function createActivityInterceptor(isBurst: () => Promise<boolean>): ActivityInterceptorsFactory {
  return (context) => ({
    inbound: {
      async execute(input, next) {
        try {
          if (DEFERRED.has(context.info.activityType)) await untilNoBurst(context, isBurst);
          return await next(input);
        } catch (error) {
          // I/O that the activity's own signal ended: the SDK reports it as a cancellation.
          if (error instanceof Error && error.name === 'AbortError') throw error;
          throw toFailure(error);
        }
      },
    },
  });
}
