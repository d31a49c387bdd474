/** Continue as new after this many hints: the server's own suggestion does not count signals (10,000 end a run). */
export const MAX_SIGNALS = 2_000;
/** … or this many rounds, about 15 events each: well under the 10,240 events at which the server begins to warn. */
export const MAX_ROUNDS = 400;
/** Longest wait for a provider between two attempts. */
export const MAX_PROVIDER_WAIT_MS = 600_000;
/** A lost `indexed` signal costs no more than this. */
export const INDEX_CHECK_MS = 30_000;
