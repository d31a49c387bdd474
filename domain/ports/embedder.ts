export type EmbeddingPurpose = 'query' | 'sentence' | 'passage';

/** Turns texts into vectors. Adapter: `models/embedding` (local ONNX in a worker thread). */
export interface Embedder {
  /** Name and version of the model: part of every vector's id and of the collection's name. */
  readonly model: string;
  readonly dimension: number;
  /**
   * One L2-normalised vector a text, in the order given. Texts longer than the model's window are cut at its end.
   * A query gets the model's query prefix, and is served before all others. A sentence is a passage that a step waits for: it is served before
   * passages, of which hundreds may wait to be indexed. @throws EmbedderUnavailable
   */
  embed(texts: readonly string[], purpose: EmbeddingPurpose, signal?: AbortSignal): Promise<Float32Array[]>;
  /** True once the model answers; never throws. */
  ready(): Promise<boolean>;
  close(): Promise<void>;
}

/** No model files, or the model's thread is gone: the caller degrades to keyword search, or retries later. */
export class EmbedderUnavailable extends Error {
  override readonly name = 'EmbedderUnavailable';
}
