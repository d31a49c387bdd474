import { proxyActivities } from '@temporalio/workflow';
import { PERMANENT_FAILURES } from '../failure-types.ts';
import { QUEUES } from '../queues.ts';
import type { LearningActivities, LearningInput, LearningResult } from './types.ts';

/** As for windows: a call with one repair, a few attempts for hiccups; an outage fails the run and the session waits it out. */
const model = proxyActivities<LearningActivities>({
  taskQueue: QUEUES.model,
  startToCloseTimeout: '3 minutes',
  scheduleToCloseTimeout: '10 minutes',
  heartbeatTimeout: '10 seconds',
  retry: {
    initialInterval: '2 seconds',
    backoffCoefficient: 2,
    maximumInterval: '30 seconds',
    maximumAttempts: 3,
    nonRetryableErrorTypes: [...PERMANENT_FAILURES],
  },
});

/** Extracts what outlives a session, and joins it with what its project already knows. */
export async function learning(input: LearningInput): Promise<LearningResult> {
  return model.extractLearnings(input);
}
