import { createHash } from 'node:crypto';
import type { ModelUsage, PreparedCall, ModelRequest, Reading } from '../../domain/ports/model.ts';

/** The name is a part of what an answer is kept under: a change of what the model says changes it. */
export const LOCAL_MODEL_NAME = 'local-extractive-2';
/** More than any answer fills: its texts are a twentieth of what was read, its quotes are bounded. */
const MAX_TOKENS_OUT = 8_000;
const PROMPT_VERSION = createHash('sha256').update(LOCAL_MODEL_NAME).digest('hex');

/** A question of the local model, and how it is answered. */
interface LocalRequest<Output> {
  /** Ids of everything that an answer may point at (rows, known learnings), in reading order, each once. */
  readonly ids: readonly string[];
  /** What is asked, without ids; equal questions have equal answers. */
  readonly question: string;
  readonly inputTokens: number;
  readonly answer: (signal: AbortSignal) => Promise<Output>;
}

interface LocalClock {
  readonly countTokens: (text: string) => number;
  readonly now: () => number;
}

/** The question alone, for answers that are kept. */
export function requestOf<Output>({
  ids,
  question,
}: Pick<LocalRequest<Output>, 'ids' | 'question'>): ModelRequest<Output> {
  return { promptVersion: PROMPT_VERSION, question, read: (text) => readBack(text, ids) };
}

/** A call that costs nothing: asking computes the answer, and asking again computes it once more. */
export function preparedCall<Output>(asked: LocalRequest<Output>, clock: LocalClock): PreparedCall<Output> {
  const call: PreparedCall<Output> = {
    provider: 'local',
    model: LOCAL_MODEL_NAME,
    ...requestOf(asked),
    inputTokens: asked.inputTokens,
    maxTokensOut: MAX_TOKENS_OUT,
    maxUsd: 0,
    ask: async (signal) => {
      signal.throwIfAborted();
      const start = clock.now();
      const output = await asked.answer(signal);
      const text = written(output, asked.ids);
      const usage: ModelUsage = {
        provider: 'local',
        model: LOCAL_MODEL_NAME,
        inputTokens: asked.inputTokens,
        outputTokens: clock.countTokens(text),
        tokensCached: 0,
        tokensCacheWritten: 0,
        costUsd: 0,
        batch: false,
        latencyMs: Math.max(0, Math.round(clock.now() - start)),
      };
      return { text, reading: { ok: true, output }, usage };
    },
    again: async (_text, _problem, signal) => {
      signal.throwIfAborted();
      return Promise.resolve(call);
    },
  };
  return call;
}

/** Fields that hold an id. */
const POINTERS = new Set(['rowId', 'knownId']);

/** The answer as JSON, every id as its place in the list: the same rows under other ids give the same text. */
function written(output: unknown, ids: readonly string[]): string {
  const places = new Map(ids.map((id, index) => [id, index]));
  return JSON.stringify(output, (key, value: unknown) =>
    POINTERS.has(key) && typeof value === 'string' ? (places.get(value) ?? value) : value,
  );
}

/**
 * Reads an answer that {@link written} made. Guarantee: the text comes from a call of the same model version to a question of the same
 * kind (answers are kept under both), so its shape is what `answer` returned; only ids are looked up, and an id that is not among
 * those of this question makes the answer unusable.
 */
function readBack<Output>(text: string, ids: readonly string[]): Reading<Output> {
  let isForeign = false;
  try {
    const output: Output = JSON.parse(text, (key, value: unknown) => {
      if (!POINTERS.has(key)) return value;
      const id = typeof value === 'number' ? ids[value] : undefined;
      if (id === undefined) isForeign = true;
      return id;
    });
    if (!isForeign) return { ok: true, output };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  const problem = isForeign ? 'The answer points at rows that were not given.' : 'The answer is no JSON.';
  return { ok: false, kind: 'invalid_output', problem, where: isForeign ? 'rowId' : 'text' };
}
