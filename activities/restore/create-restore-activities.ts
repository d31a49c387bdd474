import type { RestoreActivities } from '../../workflows/restore/types.ts';
import { buildSteps } from './build-steps.ts';
import type { RestoreDependencies } from './restore-context.ts';
import { swapSteps } from './swap-steps.ts';
import { vectorSteps } from './vector-steps.ts';

/** Steps of restores and drills. Each is repeatable and resumes. */
export function createRestoreActivities(dependencies: RestoreDependencies): RestoreActivities {
  return { ...buildSteps(dependencies), ...vectorSteps(dependencies), ...swapSteps(dependencies) };
}
