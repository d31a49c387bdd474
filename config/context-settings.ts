import { z } from 'zod';

const tokens = z.coerce.number().int().min(0).max(8_000);

/** Settings of what hooks are answered with. */
export const contextEnvironment = {
  RECOLLECT_CONTEXT_START_TOKENS: tokens
    .default(900)
    .describe(
      'Tokens that the start of a session is told at most; 0: nothing. Read once a session, so it may be the largest',
    ),
  RECOLLECT_CONTEXT_PROMPT_TOKENS: tokens
    .default(600)
    .describe(
      'Tokens that a prompt is told at most; 0: nothing. Every prompt may be given some, and they stay in the conversation',
    ),
  RECOLLECT_CONTEXT_FILE_TOKENS: tokens
    .default(300)
    .describe('Tokens that are told of a file before it is read, once a session; 0: nothing'),
  RECOLLECT_CONTEXT_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(10)
    // Hooks wait for two seconds in all, their own start and end included (hook/limits.ts).
    .max(1_500)
    .default(300)
    .describe('A prompt or a file waits no longer than this for what is known: the agent goes on without it'),
};

interface ContextEnvironment {
  readonly RECOLLECT_CONTEXT_START_TOKENS: number;
  readonly RECOLLECT_CONTEXT_PROMPT_TOKENS: number;
  readonly RECOLLECT_CONTEXT_FILE_TOKENS: number;
  readonly RECOLLECT_CONTEXT_TIMEOUT_MS: number;
}

export interface ContextSettings {
  /** Tokens of a block that a hook is answered with, by what it is for; 0 where it is given none. */
  readonly tokens: { readonly session_start: number; readonly prompt: number; readonly file: number };
  readonly timeoutMs: number;
}

export function contextConfig(env: ContextEnvironment): ContextSettings {
  return {
    tokens: {
      session_start: env.RECOLLECT_CONTEXT_START_TOKENS,
      prompt: env.RECOLLECT_CONTEXT_PROMPT_TOKENS,
      file: env.RECOLLECT_CONTEXT_FILE_TOKENS,
    },
    timeoutMs: env.RECOLLECT_CONTEXT_TIMEOUT_MS,
  };
}
