import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { failureType, toFailure } from '../../../activities/failures.ts';
import type { HttpEmbedding } from '../../../config/embedding-settings.ts';
import { EmbedderUnavailable, TextsRefused } from '../../../domain/ports/embedder.ts';
import type { Embedder, EmbeddingUsage } from '../../../domain/ports/embedder.ts';
import { createOpenAiEmbedder } from '../../../models/embedding/openai-embedder.ts';
import { serverVector, startEmbeddingsServer } from './embeddings-server.ts';
import type { EmbeddingsServer } from './embeddings-server.ts';

let server: EmbeddingsServer;
let embedders: Embedder[];

beforeEach(async () => {
  server = await startEmbeddingsServer();
  embedders = [];
});
afterEach(async () => {
  for (const embedder of embedders) await embedder.close();
  await server.close();
});

function embedderWith(own: Partial<HttpEmbedding> = {}): Embedder {
  const embedder = createOpenAiEmbedder({
    url: server.url,
    apiKey: 'embedding-key',
    model: 'text-embedding-test',
    dimension: 32,
    sendsDimension: false,
    queryPrefix: '',
    passagePrefix: '',
    sendsInputType: false,
    maxTexts: 3,
    maxCharacters: 1_000,
    maxTextCharacters: 100,
    timeoutMs: 60_000,
    usdPerMTok: 20_000,
    unrelated: undefined,
    ...own,
  });
  embedders.push(embedder);
  return embedder;
}

function normalised(text: string): number[] {
  const vector = serverVector(text, 32);
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

async function failureOf(embedder: Embedder): Promise<unknown> {
  return embedder.embed(['a text'], 'passage').catch((error: unknown) => error);
}

describe('thresholds', () => {
  test.each<readonly [string, Partial<HttpEmbedding>, number, boolean]>([
    ['of the default preset for another model', {}, 0.64, false],
    ['of the preset with the name of the model', { model: 'intfloat/e5-small-v2' }, 0.83, false],
    ['of a preset with its calibration', { model: 'sentence-transformers/all-minilm-l6-v2' }, 0.19, true],
    ['of the setting', { model: 'intfloat/e5-small-v2', unrelated: 0.5 }, 0.5, false],
  ])('are scaled by the cosine %s', (_, own, unrelated, isCalibrated) => {
    const embedder = embedderWith(own);
    // Unrelated texts are as far from 1 as with the default preset, and equal ones remain equal.
    expect(embedder.likeness(unrelated)).toBeCloseTo(0.64, 10);
    expect(embedder.likeness(1)).toBe(1);
    expect(embedder.calibration !== null).toBe(isCalibrated);
  });
});

describe('vectors', () => {
  test('are returned in the order of the texts, with length one, in requests of bounded size', async () => {
    const usage: EmbeddingUsage[] = [];
    const texts = Array.from({ length: 7 }, (_, n) => `${'word '.repeat(n)}last${n}`);
    const vectors = await embedderWith().embed(texts, 'passage', undefined, (call) => usage.push(call));
    expect(vectors).toHaveLength(7);
    for (const [at, text] of texts.entries())
      for (const [place, value] of normalised(text).entries()) expect(vectors[at]?.[place]).toBeCloseTo(value, 5);
    expect(server.requests.map(({ input }) => input.length)).toEqual([3, 3, 1]);
    expect(server.requests[0]).toEqual({
      model: 'text-embedding-test',
      encoding_format: 'float',
      input: texts.slice(0, 3),
    });
    expect(usage.map(({ provider, model, tokens, costUsd }) => ({ provider, model, tokens, costUsd }))).toEqual([
      { provider: 'http', model: 'text-embedding-test', tokens: 6, costUsd: 0.12 },
      { provider: 'http', model: 'text-embedding-test', tokens: 15, costUsd: 0.3 },
      { provider: 'http', model: 'text-embedding-test', tokens: 7, costUsd: 0.14 },
    ]);
    expect(await embedderWith().embed([], 'passage')).toEqual([]);
  });

  test('are requested with prefixes, dimension and input type by the settings', async () => {
    const own = { queryPrefix: 'query: ', passagePrefix: 'passage: ', sendsDimension: true, sendsInputType: true };
    const embedder = embedderWith(own);
    await embedder.embed(['x'], 'query');
    await embedder.embed([`${'é'.repeat(99)}😀`], 'passage');
    expect(server.requests).toEqual([
      { model: 'text-embedding-test', input: ['query: x'], dimensions: 32, input_type: 'query' },
      {
        model: 'text-embedding-test',
        input: [`passage: ${'é'.repeat(99)}\uFFFD`],
        dimensions: 32,
        input_type: 'document',
      },
    ]);
    // A change of the vectors changes the name of the index.
    expect(new Set([embedder.model, embedderWith().model, embedderWith({ dimension: 64 }).model]).size).toBe(3);
    expect(embedderWith().model).toBe('text-embedding-test-32d');
  });
});

describe('a faulty provider', () => {
  test.each([
    ['429 with a time', { kind: 'status', status: 429, headers: { 'retry-after': '7' } }, 'answered 429', 7_000],
    ['500', { kind: 'status', status: 500 }, 'answered 500', undefined],
    ['401', { kind: 'status', status: 401 }, 'answered 401', undefined],
    ['another dimension', { kind: 'dimension', dimension: 31 }, '31 dimensions instead of 32', undefined],
    ['a vector too few', { kind: 'short' }, '0 vectors for 1 texts', undefined],
    ['no number', { kind: 'not-finite' }, 'unreadable response|without direction', undefined],
    ['no JSON', { kind: 'garbage' }, 'unreadable response', undefined],
    ['a body without an end', { kind: 'endless' }, 'a response that is too long', undefined],
    ['a cut connection', { kind: 'cut' }, 'cannot be reached', undefined],
  ] as const)('reports %s as unavailable after one request', async (_, fault, message, retryAfterMs) => {
    server.fault(fault);
    const error = await failureOf(embedderWith());
    expect(error).toBeInstanceOf(EmbedderUnavailable);
    expect(error).toMatchObject({ message: expect.stringMatching(message), retryAfterMs });
    expect(server.requests).toHaveLength(1);
    expect(failureType(error)).toBe('EmbedderUnavailable');
    expect(toFailure(error)).toMatchObject({ nonRetryable: false, nextRetryDelay: retryAfterMs });
  });

  test('reports a timeout as unavailable, and an abort as the abort', async () => {
    server.down({ kind: 'silence' });
    await expect(failureOf(embedderWith({ timeoutMs: 50 }))).resolves.toMatchObject({
      message: 'the embedding provider gave no answer in time',
    });
    const controller = new AbortController();
    const aborted = embedderWith().embed(['a text'], 'passage', controller.signal);
    const reason = new Error('no longer needed');
    controller.abort(reason);
    await expect(aborted).rejects.toBe(reason);
  });

  test.each([400, 413, 422])(
    'rejects indexed texts with %i, and returns a query without its vector',
    async (status) => {
      server.down({ kind: 'status', status });
      await expect(embedderWith().embed(['a text'], 'passage')).rejects.toBeInstanceOf(TextsRefused);
      await expect(embedderWith().embed(['a text'], 'query')).rejects.toBeInstanceOf(EmbedderUnavailable);
    },
  );

  test('receives no queries for a while, and is not ready then', async () => {
    const embedder = embedderWith();
    expect(await embedder.ready()).toBe(true);
    server.fault({ kind: 'status', status: 503, headers: { 'retry-after': '60' } });
    await expect(embedder.embed(['a question'], 'query')).rejects.toBeInstanceOf(EmbedderUnavailable);
    await expect(embedder.embed(['a question'], 'query')).rejects.toThrow('unavailable within the last seconds');
    expect(await embedder.ready()).toBe(false);
    expect(server.requests).toHaveLength(1);
    // Indexing retries by Temporal’s schedule, and finds the provider available.
    await embedder.embed(['a text'], 'passage');
    expect(await embedder.ready()).toBe(true);
    await embedder.embed(['a question'], 'query');
    expect(server.requests).toHaveLength(3);
  });

  test('never has its key, its words or the texts in an error', async () => {
    server.fault({ kind: 'status', status: 500 });
    expect(String(await failureOf(embedderWith()))).not.toMatch(/embedding-key|scripted failure|a text/u);
    await embedders[0]?.close();
    await expect(embedders[0]?.embed(['a text'], 'passage')).rejects.toThrow('closed');
  });
});
