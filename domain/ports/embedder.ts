import type { TenantId } from '../ids.ts';

export type EmbeddingPurpose = 'query' | 'sentence' | 'passage';

/** What a call of a provider cost, as it counted. */
export interface EmbeddingUsage {
  readonly provider: string;
  readonly model: string;
  readonly tokens: number;
  readonly costUsd: number;
  readonly latencyMs: number;
}

/** Turns texts into vectors. Adapters: `models/embedding` (local ONNX in a worker thread; HTTP). */
export interface Embedder {
  /** Name and version of the model: part of every vector's id and of the collection's name. */
  readonly model: string;
  readonly dimension: number;
  /**
   * One L2-normalised vector a text, in the order given. Texts longer than the model's window are cut at its end.
   * A query gets the model's query prefix, and is served before all others. A sentence is a passage that a step waits for: it is served before
   * passages, of which hundreds may wait to be indexed. `onUsage` is told of every call that costs something. @throws EmbedderUnavailable, TextsRefused
   */
  embed(
    texts: readonly string[],
    purpose: EmbeddingPurpose,
    signal?: AbortSignal,
    onUsage?: (usage: EmbeddingUsage) => void,
  ): Promise<Float32Array[]>;
  /** True once the model answers; never throws. */
  ready(): Promise<boolean>;
  close(): Promise<void>;
}

/** The embedders of a process: while the model is being changed, those of both. */
export interface Embedders {
  /** Of the model that the settings name. */
  readonly wanted: Embedder;
  /** By `Embedder.model`; null for one that no setting tells how to reach. */
  of(model: string): Embedder | null;
  close(): Promise<void>;
}

/** The index that a tenant is searched in: its name, and the embedder of its model. */
export interface ServedIndex {
  readonly name: string;
  readonly embedder: Embedder;
}

/** Answers at once from what was read some seconds ago. */
export type ServedIndexOf = (tenantId: TenantId) => Promise<ServedIndex>;

/** No model files, the model's thread is gone, or the provider is away: the caller degrades to keyword search, or retries later. */
export class EmbedderUnavailable extends Error {
  override readonly name = 'EmbedderUnavailable';
  /** From the provider's `retry-after`; undefined where it gave none. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, detail: { readonly retryAfterMs?: number | undefined; readonly cause?: unknown } = {}) {
    super(message, { cause: detail.cause });
    this.retryAfterMs = detail.retryAfterMs;
  }
}

/** The provider does not take one of the texts, however often it is asked. The message never holds them. */
export class TextsRefused extends Error {
  override readonly name = 'TextsRefused';
}
