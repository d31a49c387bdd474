/** One running call of `embed`: its texts shortest first, cut into batches on demand, results in the order given. */
export interface EmbeddingCall {
  readonly vectors: Promise<Float32Array[]>;
  /** True once it is completed, rejected or aborted. */
  settled(): boolean;
  /** Returns the next batch of texts; empty at the end. */
  takeBatch(maxBatchTokens: number): readonly string[];
  /** Accepts the concatenated vectors of the last batch. */
  accept(vectors: Float32Array<ArrayBuffer>): void;
  fail(error: unknown): void;
}

/** English has 4 to 5 characters per token; the thread counts, and splits batches of denser texts. */
const CHARACTERS_PER_TOKEN = 4;

interface CallOptions {
  readonly texts: readonly string[];
  readonly prefix: string;
  readonly dimension: number;
  readonly windowTokens: number;
  readonly signal: AbortSignal | undefined;
}

/** Batches texts of similar length, because a batch costs its longest text times their number. */
export function createEmbeddingCall(options: CallOptions): EmbeddingCall {
  const { texts, prefix, dimension, windowTokens, signal } = options;
  const lengthOf = (index: number): number => texts[index]?.length ?? 0;
  const order = texts.map((_, index) => index).sort((a, b) => lengthOf(a) - lengthOf(b));
  const outcome = Promise.withResolvers<Float32Array[]>();
  const results: Float32Array[] = texts.map(() => new Float32Array(0));
  let taken = 0;
  let answered = 0;
  let settled = false;

  const settle = (): void => {
    settled = true;
    signal?.removeEventListener('abort', abort);
  };
  const fail = (error: unknown): void => {
    settle();
    outcome.reject(error);
  };
  const abort = (): void => fail(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });

  const guessTokens = (index: number): number =>
    Math.min(windowTokens, Math.ceil((lengthOf(index) + prefix.length) / CHARACTERS_PER_TOKEN) + 2);

  return {
    vectors: outcome.promise,
    settled: () => settled,
    takeBatch(maxBatchTokens) {
      const first = taken;
      // Sorted, so the last one is the widest.
      for (const index of order.slice(first)) {
        if (taken > first && guessTokens(index) * (taken - first + 1) > maxBatchTokens) break;
        taken += 1;
      }
      return order.slice(first, taken).map((index) => prefix + (texts[index] ?? ''));
    },
    accept(vectors) {
      if (settled) return;
      for (let at = 0; at < vectors.length; at += dimension) {
        const index = order[answered];
        if (index !== undefined) results[index] = vectors.subarray(at, at + dimension);
        answered += 1;
      }
      if (answered < texts.length) return;
      settle();
      outcome.resolve(results);
    },
    fail,
  };
}
