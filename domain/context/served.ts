/** Purposes of a context. */
export const CONTEXT_PURPOSES = ['session_start', 'prompt', 'file'] as const;

/** Signs that a served memory was of use, or the opposite. */
export const USE_KINDS = ['useful', 'fetched', 'wrong'] as const;
