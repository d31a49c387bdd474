import type { SourceRow } from '../../../domain/ports/model.ts';
import { ModelError, type ModelPort } from '../../../domain/ports/model.ts';
import { createClaudeModel } from '../../../models/claude/model.ts';
import { rowsFrom } from '../rows.ts';
import type { MessagesServer } from './messages-server.ts';

/** Captured text, which no error message may hold. */
export const SECRET_WORD = 'xylophone';
export const rows: readonly SourceRow[] = rowsFrom([
  { id: 'uuid-1', type: 'user', content: `Fix the ${SECRET_WORD} bug.` },
  { id: 'uuid-2', type: 'error', tool: 'Bash', content: '$ npm test\n\n1 failed' },
]);
export const window = { projectName: 'demo', precedingRequest: 'earlier request', rows };
/** An answer that fits the schema. Its item cites a row that does not exist. */
export const topic = {
  title: 'T'.repeat(130),
  content: 'C',
  keyPoints: [{ text: 'k', evidence: [{ row: 'R2', quote: '1 failed' }] }],
  actionItems: [],
  items: [
    { kind: 'bugfix', title: 't', content: 'c', tags: ['npm'], importance: 1.5, evidence: [{ row: 'R9', quote: 'x' }] },
  ],
};
const prices = { inputUsdPerMTok: 3, outputUsdPerMTok: 15, cacheWriteUsdPerMTok: 3.75, cacheReadUsdPerMTok: 0.3 };

/** The adapter against the given server, with short limits. */
export function modelAt(
  server: MessagesServer,
  changes: Partial<Parameters<typeof createClaudeModel>[0]> = {},
): ModelPort {
  return createClaudeModel({
    apiKey: server.apiKey,
    baseUrl: server.url,
    model: 'claude-test',
    prices,
    timeoutMs: 5000,
    maxOutputTokens: 2000,
    now: () => Date.parse('2026-03-02T09:00:00Z'),
    ...changes,
  });
}

export function live(): AbortSignal {
  return new AbortController().signal;
}

/** What the run fails with; an error of its own if that is no ModelError. */
export async function failure(run: Promise<unknown>): Promise<ModelError> {
  const error: unknown = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof ModelError)) throw new Error(`not a ModelError: ${String(error)}`);
  return error;
}
