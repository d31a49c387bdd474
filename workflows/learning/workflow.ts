import { proxyActivities } from '@temporalio/workflow';
import { modelCalls } from '../model-calls.ts';
import type { LearningActivities, LearningInput, LearningResult } from './types.ts';

/**
 * Extracts what outlives a session, and joins it with what its project already knows. Bounds and reasons stand with `modelCalls`; an outage
 * fails the run, and the session waits it out.
 */
export async function learning(input: LearningInput): Promise<LearningResult> {
  return proxyActivities<LearningActivities>(modelCalls(input.tenantId)).extractLearnings(input);
}
