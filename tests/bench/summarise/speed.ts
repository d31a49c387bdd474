import type { TokenCounter } from '../../../domain/ports/embedder.ts';
import { createLocalModel } from '../../../models/local/model.ts';
import type { BenchSession } from './coding-sessions.ts';
import { readLongSession } from './coding-sessions.ts';
import { scoreLocalModel } from './local-quality.ts';

const LONG_EVENTS = 1_000;

export interface SpeedFigures {
  readonly windows: number;
  readonly windowsPerSecond: number;
  /** A session of a thousand events: its windows, its summary and its learnings. */
  readonly thousandEventsMs: number;
}

/** Measures the local model alone: two threads for the embedder, one for the rest; no database, no engines. */
export async function measureSpeed(
  sessions: readonly BenchSession[],
  tokens: TokenCounter,
  embed: (texts: readonly string[]) => Promise<readonly Float32Array[]>,
): Promise<SpeedFigures> {
  const countTokens = (text: string): number => tokens.count(text);
  const model = createLocalModel({ countTokens, now: () => performance.now(), embed });
  const [first] = sessions;
  // The first call loads the embedder.
  if (first !== undefined) await scoreLocalModel(model, [first], [], countTokens);
  const all = await scoreLocalModel(model, sessions, [], countTokens);
  const long = await scoreLocalModel(model, [readLongSession(LONG_EVENTS, countTokens)], [], countTokens);
  return {
    windows: all.windows,
    windowsPerSecond: all.windowsPerSecond,
    thousandEventsMs: long.slowestSessionMs,
  };
}
