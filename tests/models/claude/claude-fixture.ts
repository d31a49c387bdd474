import type { ModelResponse, PreparedCall, SourceRow, WindowInput } from '../../../domain/ports/model.ts';
import { ModelError, type ModelPort } from '../../../domain/ports/model.ts';
import { createClaudeModel } from '../../../models/claude/model.ts';
import { createTokenCounter } from '../../../models/tokens/token-counter.ts';
import { rowsFrom } from '../rows.ts';
import type { MessagesServer } from './messages-server.ts';

export const { count: countTokens } = createTokenCounter();
/** Captured text that no error message may contain. */
export const SECRET_WORD = 'xylophone';
export const rows: readonly SourceRow[] = rowsFrom([
  { id: 'uuid-1', type: 'user', content: `Fix the ${SECRET_WORD} bug.` },
  { id: 'uuid-2', type: 'error', tool: 'Bash', content: '$ npm test\n\n1 failed' },
]);
export const window: WindowInput = {
  projectName: 'demo',
  glossary: [],
  precedingRequest: { content: 'earlier request', dataClass: 'internal' },
  known: [],
  rows,
};
/** A response that fits the schema. Its item cites a row that does not exist. */
export const topic = {
  title: 'T'.repeat(130),
  content: 'C',
  keyPoints: [{ text: 'k', evidence: [{ row: 'R2', quote: '1 failed' }] }],
  actionItems: [],
  items: [
    { kind: 'bugfix', title: 't', content: 'c', tags: ['npm'], importance: 1.5, evidence: [{ row: 'R9', quote: 'x' }] },
  ],
};

export const SMALL = {
  name: 'claude-haiku-test',
  prices: { inputUsdPerMTok: 1, outputUsdPerMTok: 5, cacheWriteUsdPerMTok: 1.25, cacheReadUsdPerMTok: 0.1 },
};
export const LARGE = {
  name: 'claude-sonnet-test',
  prices: { inputUsdPerMTok: 3, outputUsdPerMTok: 15, cacheWriteUsdPerMTok: 3.75, cacheReadUsdPerMTok: 0.3 },
};

/** Returns the adapter for a server, with short limits. */
export function modelAt(
  server: MessagesServer,
  changes: Partial<Parameters<typeof createClaudeModel>[0]> = {},
): ModelPort {
  return createClaudeModel({
    apiKey: server.apiKey,
    baseUrl: server.url,
    small: SMALL,
    large: LARGE,
    smallWindowTokens: 4_000,
    timeoutMs: 60_000,
    maxOutputTokens: 1_500,
    requestTokens: 8_000,
    batchPriceShare: 0.5,
    countTokens,
    now: () => Date.parse('2026-03-02T09:00:00Z'),
    ...changes,
  });
}

export function live(): AbortSignal {
  return new AbortController().signal;
}

/** Sends a prepared call. */
export async function sendCall<Output>(call: Promise<PreparedCall<Output>>): Promise<ModelResponse<Output>> {
  return (await call).send(live());
}

/** Returns the output; throws if it is unusable. */
export function outputOf<Output>({ reading }: Pick<ModelResponse<Output>, 'reading'>): Output {
  if (!reading.ok) throw new Error(`unusable answer: ${reading.where}`);
  return reading.output;
}

/** Returns the ModelError of a run; throws if it fails otherwise. */
export async function failure(run: Promise<unknown>): Promise<ModelError> {
  const error: unknown = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ModelError)) throw new Error(`not a ModelError: ${String(error)}`);
  return error;
}
