import type { ActivityOptions } from '@temporalio/workflow';
import { QUEUES } from './queues.ts';

/**
 * One model call with one repair takes seconds; at most a minute's wait for a place among the calls at once and two minutes' answer, twice.
 * Three attempts in twenty minutes, for hiccups; what lasts longer is an outage or a quota, and the session's workflow waits for that itself,
 * where it is seen.
 */
export function modelCalls(tenantId: string): ActivityOptions {
  return {
    // One tenant's backlog must not keep the others waiting.
    priority: { fairnessKey: tenantId },
    taskQueue: QUEUES.model,
    startToCloseTimeout: '7 minutes',
    scheduleToCloseTimeout: '20 minutes',
    heartbeatTimeout: '10 seconds',
    retry: {
      initialInterval: '2 seconds',
      backoffCoefficient: 2,
      maximumInterval: '30 seconds',
      maximumAttempts: 3,
      // The session waits for midnight itself, where it is shown and can be ended. Permanent failures carry the flag of the failure.
      nonRetryableErrorTypes: ['BudgetExhausted'],
    },
  };
}
