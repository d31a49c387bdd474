/** Settings of the reranking thread. */
export interface RerankThreadSettings {
  readonly modelPath: string;
  readonly tokenizerPath: string;
}

export interface RerankRequest {
  readonly id: number;
  readonly query: string;
  readonly texts: readonly string[];
  /** One Int32: set to 1 when the caller gives up; read between batches. */
  readonly cancelled: SharedArrayBuffer;
}

export type RerankAnswer =
  | { readonly type: 'ready' }
  | { readonly type: 'scores'; readonly id: number; readonly scores: readonly number[] }
  | { readonly type: 'failed'; readonly id: number; readonly message: string };
