/** Vectors were requested. Without payload: the ledger lists them. */
export const INDEX_HINT_SIGNAL = 'hint';
