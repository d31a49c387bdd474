import type { RestoreActivities } from '../../workflows/restore/types.ts';
import { buildSteps } from './build-steps.ts';
import type { RestoreDependencies } from './restore-context.ts';
import { swapSteps } from './swap-steps.ts';
import { vectorSteps } from './vector-steps.ts';

/** Restores and drills, step by step; each may be done again, and goes on with what is not done yet. */
export function createRestoreActivities(dependencies: RestoreDependencies): RestoreActivities {
  return { ...buildSteps(dependencies), ...vectorSteps(dependencies), ...swapSteps(dependencies) };
}
