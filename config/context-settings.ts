import { z } from 'zod';

const tokens = z.coerce.number().int().min(0).max(8_000);

/** Settings of the context in hook responses. */
export const contextEnvironment = {
  RECOLLECT_CONTEXT_START_TOKENS: tokens
    .default(900)
    .describe('Maximum tokens of context at session start; 0: none. Served once per session'),
  RECOLLECT_CONTEXT_PROMPT_TOKENS: tokens
    .default(600)
    .describe('Maximum tokens of context for a prompt; 0: none. They remain in the conversation'),
  RECOLLECT_CONTEXT_FILE_TOKENS: tokens
    .default(300)
    .describe('Maximum tokens of context for a file before it is read, once per session; 0: none'),
  RECOLLECT_CONTEXT_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .min(10)
    // Hooks take at most two seconds including start and end (hook/limits.ts).
    .max(1_500)
    .default(300)
    .describe('Timeout of the context for a prompt or a file, in ms; the agent then continues without it'),
};

interface ContextEnvironment {
  readonly RECOLLECT_CONTEXT_START_TOKENS: number;
  readonly RECOLLECT_CONTEXT_PROMPT_TOKENS: number;
  readonly RECOLLECT_CONTEXT_FILE_TOKENS: number;
  readonly RECOLLECT_CONTEXT_TIMEOUT_MS: number;
}

export interface ContextSettings {
  /** Maximum tokens of a context by purpose; 0: none. */
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
