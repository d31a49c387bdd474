import Anthropic from '@anthropic-ai/sdk';
import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import type { z } from 'zod';
import type { Evidence, ModelPort } from '../../domain/ports/model.ts';
import { shorten } from '../../domain/text/clean.ts';
import { ask, type ConversationOptions, type Prices } from './conversation.ts';
import { instructionsFor, type Task } from './instructions.ts';
import { type Rendering, renderLearnings, renderSession, renderWindow } from './rendering.ts';
import { learningsAnswer, sessionAnswer, topicAnswer } from './schemas.ts';

export interface ClaudeModelOptions {
  readonly apiKey: string;
  /** Default: the provider's public address. */
  readonly baseUrl?: string;
  readonly model: string;
  readonly prices: Prices;
  /** Bound of one call, its body included. A repaired answer takes two calls. */
  readonly timeoutMs: number;
  readonly maxOutputTokens: number;
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

const PUBLIC_ADDRESS = 'https://api.anthropic.com';
const MAX_TITLE_CHARACTERS = 120;

/**
 * The model port over the Messages API. Each method makes one call, or two where the first answer did not fit the schema.
 * Quotes are not checked here: `domain/grounding.ts` does that for every adapter.
 *
 * The methods throw ModelError, or the signal's reason if the caller aborted. Retrying is the caller's business.
 */
export function createClaudeModel(options: ClaudeModelOptions): ModelPort {
  const { apiKey, baseUrl, model, prices, timeoutMs, maxOutputTokens, now } = options;
  // Address and log level are always given, so that the client's own environment variables cannot change where captured
  // text goes or write it to a log.
  const client = new Anthropic({
    apiKey,
    baseURL: baseUrl ?? PUBLIC_ADDRESS,
    maxRetries: 0,
    timeout: timeoutMs,
    logLevel: 'off',
  });
  const conversation: ConversationOptions = { client, model, prices, timeoutMs, maxOutputTokens, now };
  const topic = questionFor('topic', topicAnswer);
  const session = questionFor('session', sessionAnswer);
  const learnings = questionFor('learnings', learningsAnswer);

  return {
    name: model,
    async summariseWindow(input, signal) {
      const rows = renderWindow(input);
      const { answer, usage } = await ask(conversation, { ...topic, data: rows.text }, signal);
      const output = {
        ...answer,
        title: shorten(answer.title, MAX_TITLE_CHARACTERS),
        keyPoints: answer.keyPoints.map((point) => cited(point, rows)),
        actionItems: answer.actionItems.map((point) => cited(point, rows)),
        items: answer.items.map((item) => ({
          ...cited(item, rows),
          title: shorten(item.title, MAX_TITLE_CHARACTERS),
          importance: share(item.importance),
        })),
      };
      return { output, usage };
    },
    async summariseSession(input, signal) {
      const rows = renderSession(input);
      const { answer, usage } = await ask(conversation, { ...session, data: rows.text }, signal);
      const output = {
        ...answer,
        title: shorten(answer.title, MAX_TITLE_CHARACTERS),
        keyPoints: answer.keyPoints.map((point) => cited(point, rows)),
        actionItems: answer.actionItems.map((point) => cited(point, rows)),
      };
      return { output, usage };
    },
    async extractLearnings(input, signal) {
      const rows = renderLearnings(input);
      const { answer, usage } = await ask(conversation, { ...learnings, data: rows.text }, signal);
      const output = answer.learnings.map((learning) => ({
        ...cited(learning, rows),
        title: shorten(learning.title, MAX_TITLE_CHARACTERS),
        confidence: share(learning.confidence),
      }));
      return { output, usage };
    },
  };
}

interface Asked {
  readonly evidence: readonly { readonly row: string; readonly quote: string }[];
}

/** The claim with the ids of stored rows instead of short ids. */
function cited<Claim extends Asked>(
  claim: Claim,
  rows: Rendering,
): Omit<Claim, 'evidence'> & { readonly evidence: readonly Evidence[] } {
  return { ...claim, evidence: claim.evidence.map(({ row, quote }) => ({ rowId: rows.rowId(row), quote })) };
}

function share(value: number): number {
  return Math.min(1, Math.max(0, value));
}

function questionFor<Answer>(task: Task, schema: z.ZodType<Answer>) {
  const jsonSchema = zodOutputFormat(schema).schema;
  return { schema, jsonSchema, instructions: instructionsFor(task, jsonSchema) };
}
