/** Most contexts of a report, the newest. */
export const MAX_CONTEXTS = 10_000;

/** Measured values of a period. */
export interface ReturnFacts {
  readonly sessionStarts: number;
  /** Tokens served at session starts. */
  readonly startTokens: number;
  /** Tokens of their sources: the text a session would have to read again for the same knowledge. */
  readonly sourceTokens: number;
  /** Memories that were rated useful or fetched. */
  readonly usedMemories: number;
  /** Cost of the models in the period. */
  readonly spentUsd: number;
}

/** Assumptions that only the reader can provide; a missing one has no default. */
export interface ReturnAssumptions {
  readonly minutesPerMemory: number | null;
  readonly hourlyUsd: number | null;
  readonly usdPerMTok: number | null;
}

/** Null: no data, or a missing assumption. */
export interface ReturnFigures {
  readonly savedTokens: number | null;
  readonly savedTokensUsd: number | null;
  readonly savedMinutes: number | null;
  readonly savedTimeUsd: number | null;
  readonly netUsd: number | null;
  /** Saved divided by spent; null also if nothing was spent. */
  readonly ratio: number | null;
}

/** The formulas as shown in responses. */
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

/** Returns the return on cost by {@link RETURN_FORMULAS}. */
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
