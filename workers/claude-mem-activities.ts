import { createClaudeMemActivities } from '../activities/claude-mem/create-claude-mem-activities.ts';
import type { ClaudeMemDependencies } from '../activities/claude-mem/create-claude-mem-activities.ts';
import type { Config } from '../config/config.ts';
import type { ClaudeMemActivities } from '../workflows/claude-mem/types.ts';

/** Imports from claude-mem, as the settings allow them. */
export function createClaudeMemActivitiesOf({
  config,
  ...stores
}: Pick<ClaudeMemDependencies, 'database' | 'embeddingModel' | 'hints'> & {
  readonly config: Config;
}): ClaudeMemActivities {
  return createClaudeMemActivities({ ...stores, roots: config.claudeMem.roots, now: () => Date.now() });
}
