/** Turns texts into vectors. Adapter: `models/embedding` (local ONNX in a worker thread). */
export interface Embedder {
  /** Name and version of the model: part of every vector's id and of the collection's name. */
  readonly model: string;
  readonly dimension: number;
  /**
   * One L2-normalised vector a text, in the order given. Texts longer than the model's window are cut at its end.
   * A query gets the model's query prefix. @throws EmbedderUnavailable
   */
  embed(texts: readonly string[], purpose: 'passage' | 'query', signal?: AbortSignal): Promise<Float32Array[]>;
  /** True once the model answers; never throws. */
  ready(): Promise<boolean>;
  close(): Promise<void>;
}

/** No model files, or the model's thread is gone: the caller degrades to keyword search, or retries later. */
export class EmbedderUnavailable extends Error {
  override readonly name = 'EmbedderUnavailable';
}
