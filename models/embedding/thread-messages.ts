/** Settings of the embedding thread. */
export interface ThreadSettings {
  /** Model files by preference; the first loadable one is used. */
  readonly modelPaths: readonly string[];
  readonly tokenizerPath: string;
  readonly intraOpThreads: number;
  /** Whether to copy the weights into the processor's multiplication order: a fifth faster, for 20 MB of private memory. */
  readonly packed: boolean;
  /** Limit of rows × longest row in one run of the model. */
  readonly maxBatchTokens: number;
  readonly windowTokens: number;
  readonly dimension: number;
}

export type ThreadRequest =
  | { readonly type: 'embed'; readonly id: number; readonly texts: readonly string[] }
  | { readonly type: 'stop' };

/** `vectors` has one row of `dimension` floats per text; its buffer is transferred. */
export type ThreadAnswer =
  | { readonly type: 'ready' }
  | { readonly type: 'vectors'; readonly id: number; readonly vectors: Float32Array<ArrayBuffer> }
  | { readonly type: 'failed'; readonly id: number; readonly message: string };
