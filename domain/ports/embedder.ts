import type { DataClass } from '../data-classes.ts';
import type { TenantId } from '../ids.ts';
import type { Calibration } from '../ranking/calibration.ts';

export type EmbeddingPurpose = 'query' | 'sentence' | 'passage';

/** Cost of a provider call, as the provider counts it. */
export interface EmbeddingUsage {
  readonly provider: string;
  readonly model: string;
  readonly tokens: number;
  readonly costUsd: number;
  readonly latencyMs: number;
}

/** Embeds texts. Adapters: `models/embedding` (local ONNX in a worker thread; HTTP). */
export interface Embedder {
  /** Name and version of the model: part of vector ids and collection names. */
  readonly model: string;
  readonly dimension: number;
  /**
   * Returns one L2-normalised vector per text, in order. Texts beyond the model's window are truncated. Texts get the model's prefix of
   * their purpose. A query precedes all other work. A sentence is a passage that a step waits for: it precedes passages, which queue by the hundred.
   * `onUsage` is called for every billed call. @throws EmbedderUnavailable, TextsRefused
   */
  embed(
    texts: readonly string[],
    purpose: EmbeddingPurpose,
    signal?: AbortSignal,
    onUsage?: (usage: EmbeddingUsage) => void,
  ): Promise<Float32Array[]>;
  /**
   * True for a text that must not be sent to the provider, by its content or by the class of the row that it is part of (null: derived, without a stored
   * class). Undefined: every text may be sent.
   */
  readonly withholds?: (text: string, stored: DataClass | null) => boolean;
  /** Returns a cosine of two of its vectors on the scale of the default model, by which thresholds are set. */
  likeness(cosine: number): number;
  /** Weights of the chance of a search result, on that scale; null if they were not measured. */
  readonly calibration: Calibration | null;
  /** Resolves to true once the model responds; never throws. */
  ready(): Promise<boolean>;
  close(): Promise<void>;
}

/** The embedders of a process: two while the model is being changed. */
export interface Embedders {
  /** Of the model in the settings. */
  readonly wanted: Embedder;
  /** By `Embedder.model`; null if no setting configures it. */
  of(model: string): Embedder | null;
  close(): Promise<void>;
}

/** The served index of a tenant: its name, and the embedder of its model. */
export interface ServedIndex {
  readonly name: string;
  readonly embedder: Embedder;
}

/** Returns the served index from a cache of some seconds. */
export type ServedIndexOf = (tenantId: TenantId) => Promise<ServedIndex>;

/** Missing model files, a dead model thread or an unavailable provider: the caller degrades to keyword search, or retries later. */
export class EmbedderUnavailable extends Error {
  override readonly name = 'EmbedderUnavailable';
  /** From the provider's `retry-after`; undefined without one. */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, detail: { readonly retryAfterMs?: number | undefined; readonly cause?: unknown } = {}) {
    super(message, { cause: detail.cause });
    this.retryAfterMs = detail.retryAfterMs;
  }
}

/** The provider rejects one of the texts permanently. The message never contains them. */
export class TextsRefused extends Error {
  override readonly name = 'TextsRefused';
}

export interface TokenCounter {
  /** o200k tokens. */
  count(text: string): number;
}

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
