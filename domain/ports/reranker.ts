/** A cross-encoder: more accurate and slower than comparing vectors. One adapter, `models/reranking`; a port because retrieval may not import models. */
export interface Reranker {
  /** Returns the relevance of each text to the query, 0–1, in order; longer texts are truncated. @throws RerankerUnavailable */
  score(query: string, texts: readonly string[], signal: AbortSignal): Promise<readonly number[]>;
  /** Frees the model. Never throws. */
  close(): Promise<void>;
}

/** No model files, or the model failed: the fused order is used. */
export class RerankerUnavailable extends Error {
  override readonly name = 'RerankerUnavailable';
}
