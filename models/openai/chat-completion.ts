import { z } from 'zod';
import { wellFormed } from '../../domain/capture/well-formed.ts';
import { ModelError } from '../../domain/ports/model.ts';
import type { Reply } from '../requests/protocol.ts';

const count = z.number().int().nonnegative();

/** The fields of a chat completion that this adapter uses; servers add others. */
const completionShape = z.object({
  choices: z
    .array(
      z.object({
        finish_reason: z.string().nullish(),
        message: z.object({ content: z.string().nullish(), refusal: z.string().nullish() }),
        error: z.unknown().optional(),
      }),
    )
    .min(1),
  usage: z
    .object({
      prompt_tokens: count.nullish(),
      completion_tokens: count.nullish(),
      prompt_tokens_details: z.object({ cached_tokens: count.nullish() }).nullish(),
    })
    .nullish(),
});

/** Thoughts that a server without a separate field for them leaves before the answer. */
const THOUGHTS = /^\s*<think>[\s\S]*?<\/think>/u;

/** Counts for responses of servers that state no usage. */
export interface OwnCounts {
  readonly inputTokens: number;
  readonly countTokens: (text: string) => number;
}

/** A reply, and what the server states about it. */
export interface Completion extends Reply {
  /** Null if the server states none. */
  readonly promptTokens: number | null;
  /** The server failed while it wrote: the text is not complete. OpenRouter reports that within the choice. */
  readonly isFailed: boolean;
}

/** Returns the reply of a response with status 200 and without an error. @throws ModelError `unavailable` for another body */
export function readCompletion(body: unknown, own: OwnCounts): Completion {
  const parsed = completionShape.safeParse(body);
  const [choice] = parsed.data?.choices ?? [];
  if (parsed.data === undefined || choice === undefined)
    throw new ModelError('unavailable', 'The model provider sent a response that is not a chat completion');
  const { usage } = parsed.data;
  const written = choice.message.content ?? '';
  const promptTokens = usage?.prompt_tokens ?? null;
  const input = promptTokens ?? own.inputTokens;
  const cached = Math.min(input, usage?.prompt_tokens_details?.cached_tokens ?? 0);
  return {
    text: wellFormed(written.replace(THOUGHTS, '')),
    stopped: stoppedBy(choice.finish_reason ?? null, choice.message.refusal ?? null),
    tokens: {
      input: input - cached,
      cacheWritten: 0,
      cached,
      output: usage?.completion_tokens ?? own.countTokens(written),
    },
    promptTokens,
    isFailed: choice.finish_reason === 'error' || (choice.error !== undefined && choice.error !== null),
  };
}

function stoppedBy(reason: string | null, refusal: string | null): Reply['stopped'] {
  if (reason === 'content_filter' || (refusal !== null && refusal !== '')) return 'refused';
  return reason === 'length' ? 'truncated' : null;
}
