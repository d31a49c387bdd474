import type { z } from 'zod';
import type {
  LearningInput,
  ModelBatches,
  ModelPort,
  SessionInput,
  SourceRow,
  WindowInput,
} from '../../domain/ports/model.ts';
import { learningsOf, sessionOf, topicOf } from './answers.ts';
import { instructionsFor, shortInstructionsFor } from './instructions/instructions.ts';
import type { TaskName } from './instructions/instructions.ts';
import type { OutsideModelOptions } from './options.ts';
import { firstRequest, prepareCall } from './prepare.ts';
import type { Prefix, PrepareOptions, Task } from './prepare.ts';
import type { Protocol } from './protocol.ts';
import { learningsRenderer, sessionRenderer, windowRenderer } from './rendering/render.ts';
import { jsonSchemaOf, learningsResponse, sessionResponse, topicResponse } from './schemas.ts';

/** Tokens to show of a window: all of a short one, a share of a longer one. */
const WINDOW_TARGET = { base: 700, share: 0.35, most: 2_200 } as const;
const SESSION_TARGET = { base: 700, perTopic: 190, most: 3_600 } as const;
const LEARNINGS_TARGET = { base: 900, perTopic: 150, most: 3_600 } as const;

/**
 * The model port over a provider's protocol. Preparing counts the tokens; sending performs one call. `domain/grounding.ts` checks quotes for
 * every adapter. The caller retries. `remember` receives every prepared call, so that a batch can send it.
 */
export function createOutsideModel(
  options: OutsideModelOptions,
  protocol: Protocol,
  batches: ModelBatches | null = null,
  remember: PrepareOptions['remember'] = () => undefined,
): ModelPort {
  const { small, large, countTokens, now } = options;
  const prepare: PrepareOptions = {
    protocol,
    now,
    maxOutputTokens: options.maxOutputTokens,
    requestTokens: options.requestTokens,
    countTokens,
    needShortPrefix: new Set(),
    remember,
  };
  const topic = taskOf('topic', topicResponse, topicOf, countTokens);
  const session = taskOf('session', sessionResponse, sessionOf, countTokens);
  const learnings = taskOf('learnings', learningsResponse, learningsOf, countTokens);

  const windowPlan = (input: WindowInput) => ({
    task: topic,
    model: tierOfWindow(input.rows, options.smallWindowTokens) === 'small' ? small : large,
    glossary: input.glossary,
    render: windowRenderer(input, countTokens),
    targetTokens: windowTarget(input.rows),
  });
  const sessionPlan = (input: SessionInput) => ({
    task: session,
    model: large,
    glossary: input.glossary,
    render: sessionRenderer(input, countTokens),
    targetTokens: targetOf(SESSION_TARGET, input.topics.length),
  });
  const learningsPlan = (input: LearningInput) => ({
    task: learnings,
    model: large,
    glossary: input.glossary,
    render: learningsRenderer(input, countTokens),
    targetTokens: targetOf(LEARNINGS_TARGET, input.topics.length),
  });

  return {
    name: small.name === large.name ? large.name : `${small.name}, ${large.name}`,
    provider: protocol.provider,
    prepareWindow: (input, signal) => prepareCall(prepare, windowPlan(input), null, signal),
    prepareSession: (input, signal) => prepareCall(prepare, sessionPlan(input), null, signal),
    prepareLearnings: (input, signal) => prepareCall(prepare, learningsPlan(input), null, signal),
    windowRequest: (input) => firstRequest(prepare, windowPlan(input)),
    sessionRequest: (input) => firstRequest(prepare, sessionPlan(input)),
    learningsRequest: (input) => firstRequest(prepare, learningsPlan(input)),
    batches,
  };
}

function taskOf<Response, Output>(
  name: TaskName,
  schema: z.ZodType<Response>,
  outputOf: Task<Response, Output>['outputOf'],
  countTokens: (text: string) => number,
): Task<Response, Output> {
  const jsonSchema = jsonSchemaOf(schema);
  const prefixOf = (instructions: string): Prefix => {
    let tokens: number | undefined;
    const stableTokens = () => (tokens ??= countTokens(instructions) + countTokens(JSON.stringify(jsonSchema)));
    return { instructions, stableTokens };
  };
  const short = shortInstructionsFor(name);
  return {
    prefix: prefixOf(instructionsFor(name)),
    shortPrefix: short === null ? null : prefixOf(short),
    schema,
    jsonSchema,
    outputOf,
  };
}

function windowTarget(rows: readonly SourceRow[]): number {
  const tokens = rows.reduce((sum, row) => sum + row.tokens, 0);
  return Math.min(WINDOW_TARGET.most, Math.floor(WINDOW_TARGET.base + WINDOW_TARGET.share * tokens));
}

function targetOf(
  { base, perTopic, most }: { readonly base: number; readonly perTopic: number; readonly most: number },
  topics: number,
): number {
  return Math.min(most, base + perTopic * topics);
}

export type Tier = 'small' | 'large';

/**
 * Selects the model of a window. A short window without failures is a list of completed work, which the small model summarises as well; the
 * large one explains failures and fixes better, and long windows, of which much is omitted. Session summaries and learnings always use the
 * large model.
 */
export function tierOfWindow(rows: readonly SourceRow[], smallWindowTokens: number): Tier {
  const tokens = rows.reduce((sum, row) => sum + row.tokens, 0);
  if (smallWindowTokens === 0 || tokens > smallWindowTokens) return 'large';
  return rows.some(({ type }) => type === 'error') ? 'large' : 'small';
}
