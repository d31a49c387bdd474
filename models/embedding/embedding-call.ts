/** One running call of `embed`: hands out its texts, longest first, and collects their vectors in the order given. */
export interface EmbeddingCall {
  readonly vectors: Promise<Float32Array[]>;
  /** False once all texts were taken, or the call was rejected or aborted. */
  hasTexts(): boolean;
  /** Returns the next text; undefined if there is none. */
  take(): EmbeddingTask | undefined;
  fail(error: unknown): void;
}

/** One text of a call. */
export interface EmbeddingTask {
  readonly text: string;
  accept(vector: Float32Array): void;
}

/** Longest first: processes that share a call then end at nearly the same time. */
export function createEmbeddingCall(
  texts: readonly string[],
  prefix: string,
  signal: AbortSignal | undefined,
): EmbeddingCall {
  const order = texts.map((text, index) => ({ text, index })).sort((a, b) => a.text.length - b.text.length);
  const outcome = Promise.withResolvers<Float32Array[]>();
  const vectors = texts.map((): Float32Array => new Float32Array(0));
  let missing = texts.length;
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

  return {
    vectors: outcome.promise,
    hasTexts: () => !settled && order.length > 0,
    take() {
      const next = order.pop();
      if (next === undefined) return undefined;
      return {
        text: prefix + next.text,
        accept(vector) {
          if (settled) return;
          vectors[next.index] = vector;
          missing -= 1;
          if (missing > 0) return;
          settle();
          outcome.resolve(vectors);
        },
      };
    },
    fail,
  };
}
