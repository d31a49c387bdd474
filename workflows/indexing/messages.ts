export const INDEX_WORKFLOW = 'index';

/** Vectors were asked for. Carries nothing: which ones stands in the ledger. */
export const INDEX_HINT_SIGNAL = 'hint';
