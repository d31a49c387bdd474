import { COMMON } from './common.ts';
import { LEARNINGS } from './learnings.ts';
import { SESSION } from './session.ts';
import { topicExamples } from './topic-examples.ts';
import { TOPIC } from './topic.ts';

export type TaskName = 'topic' | 'session' | 'learnings';

/**
 * The part of a request that never changes for a task.
 *
 * Its length is chosen. A provider caches a prefix from a least length on: 4,096 tokens for the small default model, 2,048 for the
 * large one. A token read from the cache costs a tenth, so that a topic's 4,300 tokens cost as much as 430 that are not cached: less
 * than the 1,000 or so that the bare rules would take uncached, and rules for each kind, worked examples and common mistakes come with
 * it for nothing. Session summaries and learnings go to the large model only, so theirs stay just above its least length.
 */
export function instructionsFor(task: TaskName): string {
  switch (task) {
    case 'topic':
      return `${COMMON}\n\n${TOPIC}\n\n${topicExamples()}`;
    case 'session':
      return `${COMMON}\n\n${SESSION}`;
    case 'learnings':
      return `${COMMON}\n\n${LEARNINGS}`;
  }
}

/**
 * As {@link instructionsFor}, with one example instead of four, for models whose tokens are so short that the longer prefix would leave
 * no room for rows; null where there is nothing to leave out.
 */
export function shortInstructionsFor(task: TaskName): string | null {
  return task === 'topic' ? `${COMMON}\n\n${TOPIC}\n\n${topicExamples(1)}` : null;
}
