/** Continue as new after this many hints: the server's own suggestion does not count signals (10,000 end a run). */
export const MAX_SIGNALS = 2_000;
/** … or this many events, at which a history still replays in a few tens of milliseconds. A round adds about 12 of them. */
export const MAX_HISTORY_EVENTS = 1_400;
/** First check for vectors without a signal; the next ones follow after the longest wait for a provider. */
export const INDEX_CHECK_MS = 60_000;
