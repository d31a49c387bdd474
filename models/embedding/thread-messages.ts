/** What the embedding thread is started with. */
export interface ThreadSettings {
  /** Model files, best first; the first that loads is used. */
  readonly modelPaths: readonly string[];
  readonly tokenizerPath: string;
  readonly intraOpThreads: number;
  /** Whether the weights are copied into the order in which the processor multiplies them: a fifth faster, and 20 MB of private memory. */
  readonly packed: boolean;
  /** Bound of rows × longest row in one run of the model. */
  readonly maxBatchTokens: number;
  readonly windowTokens: number;
  readonly dimension: number;
}

export type ThreadRequest =
  | { readonly type: 'embed'; readonly id: number; readonly texts: readonly string[] }
  | { readonly type: 'stop' };

/** `vectors` holds one row of `dimension` floats a text; its buffer is transferred. */
export type ThreadAnswer =
  | { readonly type: 'ready' }
  | { readonly type: 'vectors'; readonly id: number; readonly vectors: Float32Array<ArrayBuffer> }
  | { readonly type: 'failed'; readonly id: number; readonly message: string };
