/** What the reranking thread is started with. */
export interface RerankThreadSettings {
  readonly modelPath: string;
  readonly tokenizerPath: string;
}

export interface RerankRequest {
  readonly id: number;
  readonly query: string;
  readonly texts: readonly string[];
  /** One Int32: set to 1 when nobody waits any more; looked at between batches. */
  readonly cancelled: SharedArrayBuffer;
}

export type RerankAnswer =
  | { readonly type: 'ready' }
  | { readonly type: 'scores'; readonly id: number; readonly scores: readonly number[] }
  | { readonly type: 'failed'; readonly id: number; readonly message: string };
