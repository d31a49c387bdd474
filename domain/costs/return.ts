/** Contexts that one report reads at most, the newest. */
export const MAX_CONTEXTS = 10_000;
/** What is known of a time. */
export interface ReturnFacts {
  readonly sessionStarts: number;
  /** Tokens that session starts were given. */
  readonly startTokens: number;
  /** Tokens of what these stand for: what a session would have to read again to know the same. */
  readonly sourceTokens: number;
  /** Memories that were found useful or fetched. */
  readonly usedMemories: number;
  /** What the models cost in that time. */
  readonly spentUsd: number;
}

/** What nobody but the reader knows: nothing is assumed of what is not given. */
export interface ReturnAssumptions {
  readonly minutesPerMemory: number | null;
  readonly hourlyUsd: number | null;
  readonly usdPerMTok: number | null;
}

/** Null: there is no data for it, or an assumption was not given. */
export interface ReturnFigures {
  readonly savedTokens: number | null;
  readonly savedTokensUsd: number | null;
  readonly savedMinutes: number | null;
  readonly savedTimeUsd: number | null;
  readonly netUsd: number | null;
  /** What was saved, by what was spent; null also where nothing was spent. */
  readonly ratio: number | null;
}

/** The formulas as an answer states them. */
export const RETURN_FORMULAS = {
  saved_tokens: 'source_tokens - start_tokens',
  saved_tokens_usd: 'saved_tokens / 1000000 * usd_per_mtok',
  saved_minutes: 'used_memories * minutes_per_memory',
  saved_time_usd: 'saved_minutes / 60 * hourly_usd',
  net_usd: 'saved_tokens_usd + saved_time_usd - spent_usd, what is null left out; null where both are',
  ratio: '(saved_tokens_usd + saved_time_usd) / spent_usd; null where nothing was spent',
} as const;

function times(one: number | null, other: number | null): number | null {
  return one === null || other === null ? null : one * other;
}

/** What memory gave back, by {@link RETURN_FORMULAS}. */
export function returnOf(facts: ReturnFacts, assumed: ReturnAssumptions): ReturnFigures {
  const any = facts.sessionStarts > 0;
  const savedTokens = any ? facts.sourceTokens - facts.startTokens : null;
  const savedMinutes = times(any || facts.usedMemories > 0 ? facts.usedMemories : null, assumed.minutesPerMemory);
  const savedTokensUsd = times(savedTokens, assumed.usdPerMTok === null ? null : assumed.usdPerMTok / 1e6);
  const savedTimeUsd = times(savedMinutes, assumed.hourlyUsd === null ? null : assumed.hourlyUsd / 60);
  const known = [savedTokensUsd, savedTimeUsd].filter((usd) => usd !== null);
  const savedUsd = known.length === 0 ? null : known.reduce((sum, usd) => sum + usd, 0);
  return {
    savedTokens,
    savedTokensUsd,
    savedMinutes,
    savedTimeUsd,
    netUsd: savedUsd === null ? null : savedUsd - facts.spentUsd,
    ratio: savedUsd === null || facts.spentUsd === 0 ? null : savedUsd / facts.spentUsd,
  };
}
