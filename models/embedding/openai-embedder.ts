import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { HttpEmbedding } from '../../config/embedding-settings.ts';
import { DEFAULT_PRESET, likenessOf, presetOfModel } from '../../domain/embedding-presets.ts';
import { EmbedderUnavailable, TextsRefused } from '../../domain/ports/embedder.ts';
import type { Embedder, EmbeddingPurpose, EmbeddingUsage } from '../../domain/ports/embedder.ts';
import { readRetryAfter } from '../requests/http-status.ts';
import { readJson } from '../requests/read-json.ts';

/** Limit of a search's wait for its query vector: keyword search answers it then. */
const QUERY_TIMEOUT_MS = 5_000;
/** After a failure queries are not sent for this time: each would wait for an unavailable provider. */
const REST_MS = 5_000;
/** Longest pause of queries that a provider can request. */
const MAX_REST_MS = 60_000;
/** Longest form of a number, with its separator, in an indented response. */
const MAX_NUMBER_BYTES = 64;
/** What a response has beside its vectors. */
const MAX_OTHER_BYTES = 1024 * 1024;
const tooLong = () => new EmbedderUnavailable('the embedding provider sent a response that is too long');
const TOKENS_PER_PRICE = 1_000_000;

const answerShape = z.object({
  data: z.array(z.object({ index: z.int().nonnegative(), embedding: z.array(z.number()) })),
  usage: z.object({ total_tokens: z.number().nonnegative() }).optional(),
});

/** Returns the index's name of the model: other dimensions or prefixes make other vectors. */
export function httpModelName(settings: HttpEmbedding): string {
  const { queryPrefix, passagePrefix, sendsInputType } = settings;
  const around =
    queryPrefix + passagePrefix === '' && !sendsInputType
      ? ''
      : JSON.stringify([queryPrefix, passagePrefix, sendsInputType]);
  const mark = around === '' ? '' : `-${createHash('sha256').update(around, 'utf8').digest('hex').slice(0, 8)}`;
  return `${settings.model}-${settings.dimension}d${mark}`;
}

/** Statuses about the texts themselves, not about the provider's state. */
const REFUSALS = new Set([400, 413, 422]);

/** Returns the vectors of a response in the order of the texts. @throws EmbedderUnavailable if they do not match the request */
function readVectors(body: unknown, count: number, dimension: number): { vectors: Float32Array[]; tokens: number } {
  const parsed = answerShape.safeParse(body);
  if (!parsed.success) throw new EmbedderUnavailable('the embedding provider sent an unreadable response');
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
  const complete = vectors.filter((vector) => vector !== undefined);
  if (complete.length !== count || data.length !== count)
    throw new EmbedderUnavailable(`the embedding provider sent ${data.length} vectors for ${count} texts`);
  return { vectors: complete, tokens: usage?.total_tokens ?? 0 };
}

/** Yields runs of texts that fit one request. */
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

/** Truncates to `characters`, never inside a surrogate pair. */
function cut(text: string, characters: number): string {
  return text.length <= characters ? text : text.slice(0, characters).toWellFormed();
}

/**
 * An embedder over a provider with OpenAI's `POST /embeddings`; Voyage with `sendsInputType`. It does not retry: the caller does, with the
 * provider's `retry-after`.
 */
export function createOpenAiEmbedder(settings: HttpEmbedding): Embedder {
  const { url, apiKey, dimension, timeoutMs } = settings;
  const preset = presetOfModel(settings.model);
  const unrelated = settings.unrelated ?? (preset ?? DEFAULT_PRESET).unrelated;
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
      body = await readJson(response, texts.length * dimension * MAX_NUMBER_BYTES + MAX_OTHER_BYTES, tooLong);
    } catch (cause) {
      signal?.throwIfAborted();
      if (cause instanceof EmbedderUnavailable) throw cause;
      throw new EmbedderUnavailable(
        limit.aborted ? 'the embedding provider gave no answer in time' : 'the embedding provider cannot be reached',
      );
    }
    // Only indexing can set a text aside; a query or a comparison continues without vectors.
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
        throw new EmbedderUnavailable('the embedding provider was unavailable within the last seconds');
      const prefix = purpose === 'query' ? settings.queryPrefix : settings.passagePrefix;
      const sent = texts.map((text) => prefix + cut(text, settings.maxTextCharacters));
      const vectors: Float32Array[] = [];
      try {
        // Sequentially: providers limit the rate, and Temporal's queue limits concurrency.
        for (const some of requestsOf(sent, settings)) vectors.push(...(await request(some, purpose, signal, onUsage)));
        restsUntil = 0;
        return vectors;
      } catch (error) {
        if (error instanceof EmbedderUnavailable)
          restsUntil = performance.now() + Math.min(error.retryAfterMs ?? REST_MS, MAX_REST_MS);
        throw error;
      }
    },
    likeness: (cosine) => likenessOf({ unrelated }, cosine),
    calibration: preset?.calibration ?? null,
    // A check would cost money: the last call's outcome is used.
    ready: () => Promise.resolve(!closing.signal.aborted && performance.now() >= restsUntil),
    close() {
      closing.abort();
      return Promise.resolve();
    },
  };
}
