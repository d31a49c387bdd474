import { createHash } from 'node:crypto';
import type { ModelUsage, PreparedCall, ModelRequest, Reading } from '../../domain/ports/model.ts';

/** Part of the cache key of responses: change it with every change of the model's output. */
export const LOCAL_MODEL_NAME = 'local-extractive-4';
/** More than any response needs: its texts are a twentieth of the input, its quotes are bounded. */
const MAX_TOKENS_OUT = 8_000;
const PROMPT_VERSION = createHash('sha256').update(LOCAL_MODEL_NAME).digest('hex');

/** A request of the local model, with its computation. */
interface LocalRequest<Output> {
  /** Ids that a response may contain (rows, known learnings), in reading order, without duplicates. */
  readonly ids: readonly string[];
  /** The input without ids; equal texts have equal responses. */
  readonly requestText: string;
  readonly inputTokens: number;
  readonly answer: (signal: AbortSignal) => Promise<Output>;
}

interface LocalClock {
  readonly countTokens: (text: string) => number;
  readonly now: () => number;
}

/** Returns the request only, for cached responses. */
export function requestOf<Output>({
  ids,
  requestText,
}: Pick<LocalRequest<Output>, 'ids' | 'requestText'>): ModelRequest<Output> {
  return { promptVersion: PROMPT_VERSION, requestText, read: (text) => readBack(text, ids) };
}

/** Returns a free call: sending computes the response, and repairing computes it again. */
export function preparedCall<Output>(request: LocalRequest<Output>, clock: LocalClock): PreparedCall<Output> {
  const call: PreparedCall<Output> = {
    provider: 'local',
    model: LOCAL_MODEL_NAME,
    ...requestOf(request),
    inputTokens: request.inputTokens,
    maxTokensOut: MAX_TOKENS_OUT,
    maxUsd: 0,
    send: async (signal) => {
      signal.throwIfAborted();
      const start = clock.now();
      const output = await request.answer(signal);
      const text = written(output, request.ids);
      const usage: ModelUsage = {
        provider: 'local',
        model: LOCAL_MODEL_NAME,
        inputTokens: request.inputTokens,
        outputTokens: clock.countTokens(text),
        tokensCached: 0,
        tokensCacheWritten: 0,
        costUsd: 0,
        batch: false,
        latencyMs: Math.max(0, Math.round(clock.now() - start)),
      };
      return { text, reading: { ok: true, output }, usage };
    },
    repair: async (_text, _problem, signal) => {
      signal.throwIfAborted();
      return Promise.resolve(call);
    },
  };
  return call;
}

/** Fields with an id. */
const POINTERS = new Set(['rowId', 'knownId']);

/** Returns the response as JSON with every id as its index: the same rows under other ids give the same text. */
function written(output: unknown, ids: readonly string[]): string {
  const places = new Map(ids.map((id, index) => [id, index]));
  return JSON.stringify(output, (key, value: unknown) =>
    POINTERS.has(key) && typeof value === 'string' ? (places.get(value) ?? value) : value,
  );
}

/**
 * Parses a response of {@link written}. Guarantee: the text is a response of the same model version to a request of the same kind (both are
 * part of the cache key), so its shape is that of `answer`; only ids are resolved, and an unknown index makes the response unusable.
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
