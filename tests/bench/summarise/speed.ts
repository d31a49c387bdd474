import type { TokenCounter } from '../../../domain/ports/embedder.ts';
import { createLocalModel } from '../../../models/local/model.ts';
import type { BenchSession } from './coding-sessions.ts';
import { readLongSession } from './coding-sessions.ts';
import { scoreModel } from './local-quality.ts';

const LONG_EVENTS = 1_000;

export interface SpeedFigures {
  readonly windows: number;
  readonly windowsPerSecond: number;
  /** A session of a thousand events: its windows, its summary and its learnings. */
  readonly thousandEventsMs: number;
}

/** Measures the local model alone, in one thread: no database, no engines. */
export async function measureSpeed(sessions: readonly BenchSession[], tokens: TokenCounter): Promise<SpeedFigures> {
  const countTokens = (text: string): number => tokens.count(text);
  const model = createLocalModel({ countTokens, now: () => performance.now() });
  const all = await scoreModel(model, sessions, [], countTokens);
  const long = await scoreModel(model, [readLongSession(LONG_EVENTS, countTokens)], [], countTokens);
  return {
    windows: all.windows,
    windowsPerSecond: all.windowsPerSecond,
    thousandEventsMs: long.slowestSessionMs,
  };
}
