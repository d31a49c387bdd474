import { COMMON } from './common.ts';
import { LEARNINGS } from './learnings.ts';
import { SESSION } from './session.ts';
import { topicExamples } from './topic-examples.ts';
import { TOPIC } from './topic.ts';

export type TaskName = 'topic' | 'session' | 'learnings';

/**
 * The constant part of a task's requests. Providers cache prefixes from a minimum length on: 4,096 tokens for the small default model, 2,048
 * for the large one. A cached token costs a tenth, so a topic's 4,300 tokens cost as much as 430 uncached ones: less than the 1,000 or so
 * of the bare rules, and rules per kind, worked examples and common mistakes are free. Session summaries and learnings use the large
 * model only, so theirs are just above its minimum.
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

/** The same with one example instead of four, for models whose short tokens would leave too few for rows; null if there is nothing to omit. */
export function shortInstructionsFor(task: TaskName): string | null {
  return task === 'topic' ? `${COMMON}\n\n${TOPIC}\n\n${topicExamples(1)}` : null;
}
