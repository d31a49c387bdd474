import Anthropic from '@anthropic-ai/sdk';
import type { z } from 'zod';
import type { ModelPort, PreparedCall, SourceRow, WindowInput } from '../../domain/ports/model.ts';
import { learningsOf, sessionOf, topicOf } from './answers.ts';
import { createBatches } from './batches.ts';
import { instructionsFor, shortInstructionsFor } from './instructions/instructions.ts';
import type { TaskName } from './instructions/instructions.ts';
import type { ClaudeModelOptions } from './options.ts';
import { firstRequest, prepareCall } from './prepare.ts';
import type { Prefix, PrepareOptions, Task } from './prepare.ts';
import { learningsRenderer, sessionRenderer, windowRenderer } from './rendering/render.ts';
import { jsonSchemaOf, learningsResponse, sessionResponse, topicResponse } from './schemas.ts';
import type { MessageRequest } from './transport.ts';

const PUBLIC_ADDRESS = 'https://api.anthropic.com';

/** Tokens to show of a window: all of a short one, a share of a longer one. */
const WINDOW_TARGET = { base: 700, share: 0.35, most: 2_200 } as const;
const SESSION_TARGET = { base: 700, perTopic: 190, most: 3_600 } as const;
const LEARNINGS_TARGET = { base: 900, perTopic: 150, most: 3_600 } as const;

/**
 * The model port over the Messages API. Preparing counts the tokens at the provider; sending performs one call. `domain/grounding.ts` checks
 * quotes for every adapter. The caller retries.
 */
export function createClaudeModel(options: ClaudeModelOptions): ModelPort {
  const { apiKey, baseUrl, small, large, timeoutMs, countTokens, now } = options;
  // Address and log level are always set, so that the client's own environment variables cannot redirect captured text or log it.
  const client = new Anthropic({
    apiKey,
    baseURL: baseUrl ?? PUBLIC_ADDRESS,
    maxRetries: 0,
    timeout: timeoutMs,
    logLevel: 'off',
  });
  const requests = new WeakMap<PreparedCall<unknown>, MessageRequest>();
  const prepare: PrepareOptions = {
    client,
    timeoutMs,
    now,
    maxOutputTokens: options.maxOutputTokens,
    requestTokens: options.requestTokens,
    countTokens,
    needShortPrefix: new Set(),
    remember: (call, request) => void requests.set(call, request),
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

  return {
    name: small.name === large.name ? large.name : `${small.name}, ${large.name}`,
    provider: 'anthropic',
    prepareWindow: (input, signal) => prepareCall(prepare, windowPlan(input), null, signal),
    windowRequest: (input) => firstRequest(prepare, windowPlan(input)),
    prepareSession: (input, signal) => {
      const plan = {
        task: session,
        model: large,
        glossary: input.glossary,
        render: sessionRenderer(input, countTokens),
        targetTokens: targetOf(SESSION_TARGET, input.topics.length),
      };
      return prepareCall(prepare, plan, null, signal);
    },
    prepareLearnings: (input, signal) => {
      const plan = {
        task: learnings,
        model: large,
        glossary: input.glossary,
        render: learningsRenderer(input, countTokens),
        targetTokens: targetOf(LEARNINGS_TARGET, input.topics.length),
      };
      return prepareCall(prepare, plan, null, signal);
    },
    batches: createBatches({ client, timeoutMs, now }, { small, large, priceShare: options.batchPriceShare }, requests),
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
