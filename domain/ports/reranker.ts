/** Reads question and passage together, which is better and slower than comparing vectors. Adapter: `models/reranking` (local ONNX cross-encoder). */
export interface Reranker {
  /** How well each text answers the question, 0 to 1, in the order given; longer texts are cut. @throws RerankerUnavailable */
  score(query: string, texts: readonly string[], signal: AbortSignal): Promise<readonly number[]>;
  /** Frees the model. Never throws. */
  close(): Promise<void>;
}

/** No model files, or the model failed: the fused order stands. */
export class RerankerUnavailable extends Error {
  override readonly name = 'RerankerUnavailable';
}
