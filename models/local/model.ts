import type {
  LearningInput,
  ModelPort,
  ModelResult,
  ModelUsage,
  SessionInput,
  SourceRow,
  WindowInput,
} from '../../domain/ports/model.ts';
import { learningsOf } from './learnings.ts';
import { sessionOf } from './session.ts';
import { topicOf } from './topic.ts';

export interface LocalModelOptions {
  /** Tokens of a text, for the ledger. */
  readonly countTokens: (text: string) => number;
  /** Milliseconds of any clock that does not go back. */
  readonly now: () => number;
}

const NAME = 'local-extractive-1';

/**
 * The model that needs no network and no key: it picks sentences and pairs events instead of writing. The same input gives the
 * same bytes, every claim cites rows that hold its quote, and a call costs nothing. Throws only the signal's reason.
 */
export function createLocalModel({ countTokens, now }: LocalModelOptions): ModelPort {
  const run = <Input, Output>(
    input: Input,
    texts: readonly string[],
    signal: AbortSignal,
    answer: (input: Input) => Output,
  ): ModelResult<Output> => {
    signal.throwIfAborted();
    const start = now();
    const output = answer(input);
    const usage: ModelUsage = {
      provider: 'local',
      model: NAME,
      tokensIn: texts.reduce((sum, text) => sum + countTokens(text), 0),
      tokensOut: countTokens(JSON.stringify(output)),
      tokensCached: 0,
      costUsd: 0,
      latencyMs: Math.max(0, now() - start),
    };
    return { output, usage: [usage] };
  };
  return {
    name: NAME,
    // Asynchronous, so that an aborted signal rejects instead of throwing.
    summariseWindow: async (input: WindowInput, signal) => run(input, contentsOf(input.rows), signal, topicOf),
    summariseSession: async (input: SessionInput, signal) => run(input, sessionTexts(input), signal, sessionOf),
    extractLearnings: async (input: LearningInput, signal) =>
      run(input, [...sessionTexts(input), ...contentsOf(input.rows)], signal, learningsOf),
  };
}

function contentsOf(rows: readonly SourceRow[]): readonly string[] {
  return rows.map(({ content }) => content);
}

function sessionTexts({ topics, items, prompts }: SessionInput): readonly string[] {
  return [...topics.map(({ content }) => content), ...items.map(({ content }) => content), ...contentsOf(prompts)];
}
