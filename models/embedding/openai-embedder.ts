import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { HttpEmbedding } from '../../config/embedding-settings.ts';
import { EmbedderUnavailable, TextsRefused } from '../../domain/ports/embedder.ts';
import type { Embedder, EmbeddingPurpose, EmbeddingUsage } from '../../domain/ports/embedder.ts';

/** A search waits no longer for its question's vector: words alone answer it then. */
const QUERY_TIMEOUT_MS = 5_000;
/** After a failure questions are not sent for so long: each would wait for what is known to be away. */
const REST_MS = 5_000;
/** Longest rest that a provider can ask of questions. */
const MAX_REST_MS = 60_000;
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
const TOKENS_PER_PRICE = 1_000_000;

const answerShape = z.object({
  data: z.array(z.object({ index: z.int().nonnegative(), embedding: z.array(z.number()) })),
  usage: z.object({ total_tokens: z.number().nonnegative() }).optional(),
});

/** Name of the model as the index knows it: another dimension, or other words around the texts, make other vectors. */
export function httpModelName(settings: HttpEmbedding): string {
  const { queryPrefix, passagePrefix, sendsInputType } = settings;
  const around =
    queryPrefix + passagePrefix === '' && !sendsInputType
      ? ''
      : JSON.stringify([queryPrefix, passagePrefix, sendsInputType]);
  const mark = around === '' ? '' : `-${createHash('sha256').update(around, 'utf8').digest('hex').slice(0, 8)}`;
  return `${settings.model}-${settings.dimension}d${mark}`;
}

/** Milliseconds to wait, from `retry-after-ms`, or from `retry-after` as seconds or as an HTTP date; undefined without either. */
function readRetryAfter(headers: Headers, nowMs: number): number | undefined {
  const milliseconds = headers.get('retry-after-ms')?.trim() ?? '';
  if (/^\d+(?:\.\d+)?$/u.test(milliseconds)) return Math.ceil(Number(milliseconds));
  const value = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+(?:\.\d+)?$/u.test(value)) return Math.ceil(Number(value) * 1_000);
  // A date begins with the name of a day: what else `Date.parse` takes is none.
  const date = /^[A-Za-z]{3}/u.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - nowMs);
}

/** What the provider says of the texts themselves, and not of its own state. */
const REFUSALS = new Set([400, 413, 422]);

/** The vectors of an answer, in the order of the texts. @throws EmbedderUnavailable where it is not what was asked for */
function readVectors(body: unknown, count: number, dimension: number): { vectors: Float32Array[]; tokens: number } {
  const parsed = answerShape.safeParse(body);
  if (!parsed.success) throw new EmbedderUnavailable('the embedding provider sent an answer that cannot be read');
  const { data, usage } = parsed.data;
  const vectors = Array.from({ length: count }, (): Float32Array | undefined => undefined);
  for (const { index, embedding } of data) {
    if (embedding.length !== dimension)
      throw new EmbedderUnavailable(
        `the embedding provider sent ${embedding.length} dimensions instead of ${dimension}`,
      );
    const length = Math.hypot(...embedding);
    if (!Number.isFinite(length) || length === 0)
      throw new EmbedderUnavailable('the embedding provider sent a vector without direction');
    if (index < count) vectors[index] = Float32Array.from(embedding, (value) => value / length);
  }
  const whole = vectors.filter((vector) => vector !== undefined);
  if (whole.length !== count || data.length !== count)
    throw new EmbedderUnavailable(`the embedding provider sent ${data.length} vectors for ${count} texts`);
  return { vectors: whole, tokens: usage?.total_tokens ?? 0 };
}

/** Runs of texts that fit one request. */
function requestsOf(texts: readonly string[], { maxTexts, maxCharacters }: HttpEmbedding): string[][] {
  const requests: string[][] = [];
  let characters = 0;
  for (const text of texts) {
    const request = requests.at(-1);
    if (request === undefined || request.length >= maxTexts || characters + text.length > maxCharacters) {
      requests.push([text]);
      characters = text.length;
    } else {
      request.push(text);
      characters += text.length;
    }
  }
  return requests;
}

/** Cut to `characters`, never between the halves of a pair. */
function cut(text: string, characters: number): string {
  return text.length <= characters ? text : text.slice(0, characters).toWellFormed();
}

/**
 * An embedder over a provider that speaks `POST /embeddings` as OpenAI does; Voyage with `sendsInputType`. It makes no second attempt by itself: whoever
 * calls knows how long to wait, and is told what the provider asks for.
 */
export function createOpenAiEmbedder(settings: HttpEmbedding): Embedder {
  const { url, apiKey, dimension, timeoutMs } = settings;
  const address = `${url.replace(/\/+$/u, '')}/embeddings`;
  const closing = new AbortController();
  let restsUntil = 0;

  const request = async (
    texts: readonly string[],
    purpose: EmbeddingPurpose,
    signal: AbortSignal | undefined,
    onUsage: ((usage: EmbeddingUsage) => void) | undefined,
  ): Promise<Float32Array[]> => {
    const limit = AbortSignal.timeout(purpose === 'query' ? Math.min(timeoutMs, QUERY_TIMEOUT_MS) : timeoutMs);
    const started = performance.now();
    let response: Response;
    let body: unknown;
    try {
      response = await fetch(address, {
        method: 'POST',
        redirect: 'error',
        headers: {
          'content-type': 'application/json',
          ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
        },
        body: JSON.stringify({
          model: settings.model,
          input: texts,
          ...(settings.sendsDimension ? { dimensions: dimension } : {}),
          ...(settings.sendsInputType
            ? { input_type: purpose === 'query' ? 'query' : 'document' }
            : { encoding_format: 'float' }),
        }),
        signal: AbortSignal.any([limit, closing.signal, ...(signal === undefined ? [] : [signal])]),
      });
      if (Number(response.headers.get('content-length') ?? 0) > MAX_ANSWER_BYTES)
        throw new EmbedderUnavailable('the embedding provider sent an answer that is too long');
      // What is no JSON is read as nothing: the status says more than the parser.
      body = await response.json().catch((error: unknown) => {
        if (error instanceof SyntaxError) return null;
        throw error;
      });
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof EmbedderUnavailable) throw cause;
      throw new EmbedderUnavailable(
        limit.aborted ? 'the embedding provider gave no answer in time' : 'the embedding provider cannot be reached',
      );
    }
    // Only what is indexed can be set aside; a question, or a comparison, goes on without vectors.
    if (REFUSALS.has(response.status) && purpose === 'passage')
      throw new TextsRefused(`the embedding provider answered ${response.status}`);
    if (!response.ok)
      throw new EmbedderUnavailable(`the embedding provider answered ${response.status}`, {
        retryAfterMs: readRetryAfter(response.headers, Date.now()),
      });
    const { vectors, tokens } = readVectors(body, texts.length, dimension);
    onUsage?.({
      provider: 'http',
      model: settings.model,
      tokens,
      costUsd: (tokens * settings.usdPerMTok) / TOKENS_PER_PRICE,
      latencyMs: performance.now() - started,
    });
    return vectors;
  };

  return {
    model: httpModelName(settings),
    dimension,
    async embed(texts, purpose, signal, onUsage) {
      signal?.throwIfAborted();
      if (closing.signal.aborted) throw new EmbedderUnavailable('the embedder is closed');
      if (purpose === 'query' && performance.now() < restsUntil)
        throw new EmbedderUnavailable('the embedding provider was away a moment ago');
      const prefix = purpose === 'query' ? settings.queryPrefix : settings.passagePrefix;
      const sent = texts.map((text) => prefix + cut(text, settings.maxTextCharacters));
      const vectors: Float32Array[] = [];
      try {
        // One after another: what a provider bounds is the rate, and Temporal's queue says how many are at work.
        for (const some of requestsOf(sent, settings)) vectors.push(...(await request(some, purpose, signal, onUsage)));
        restsUntil = 0;
        return vectors;
      } catch (error) {
        if (error instanceof EmbedderUnavailable)
          restsUntil = performance.now() + Math.min(error.retryAfterMs ?? REST_MS, MAX_REST_MS);
        throw error;
      }
    },
    // To ask costs money: what the last call met is what is known.
    ready: () => Promise.resolve(!closing.signal.aborted && performance.now() >= restsUntil),
    close() {
      closing.abort();
      return Promise.resolve();
    },
  };
}
