import { proxyActivities } from '@temporalio/workflow';
import { MODEL_CALLS } from '../model-calls.ts';
import type { LearningActivities, LearningInput, LearningResult } from './types.ts';

/** Learnings: bounds and reasons stand with MODEL_CALLS; an outage fails the run, and the session waits it out. */
const model = proxyActivities<LearningActivities>(MODEL_CALLS);

/** Extracts what outlives a session, and joins it with what its project already knows. */
export async function learning(input: LearningInput): Promise<LearningResult> {
  return model.extractLearnings(input);
}
