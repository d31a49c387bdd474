import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { RerankerUnavailable, type Reranker } from '../../../domain/ports/embedder.ts';
import { createOnnxReranker, RERANKER_FILES } from '../../../models/reranking/onnx-reranker.ts';
import { rerank } from '../../../retrieval/search.ts';
import { writeTinyCrossEncoder } from './tiny-cross-encoder.ts';

let directory: string;
let reranker: Reranker;
const never = new AbortController().signal;
const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'reranker-'));
  reranker = createOnnxReranker({ modelDir: directory });
});
afterEach(async () => {
  await reranker.close();
  await rm(directory, { recursive: true, force: true });
});

describe('a cross-encoder', () => {
  test('scores each passage with the query, in order, of any length', async () => {
    await writeTinyCrossEncoder(directory);
    const texts = ['good', 'bad bad', 'unknown words', 'good good question', '', 'good bad'];
    const scores = await reranker.score('good good good', texts, never);
    // Tokens of the query are of type zero, with weight zero.
    [2, -4, 0, 4.5, 0, 0].forEach((logit, place) => expect(scores[place]).toBeCloseTo(sigmoid(logit), 5));
    expect(await reranker.score('good', [], never)).toEqual([]);
  });

  test('a passage beyond the window is cut at its end', async () => {
    await writeTinyCrossEncoder(directory);
    const [cut, short] = await reranker.score('q', [`question ${'x '.repeat(600)}good`, 'question'], never);
    expect(cut).toBeCloseTo(short ?? 0, 5);
  });

  test('one of two outputs scores by their difference', async () => {
    await writeTinyCrossEncoder(directory, 2);
    const [good, bad] = await reranker.score('q', ['good', 'bad'], never);
    expect(good).toBeCloseTo(sigmoid(4), 5);
    expect(bad).toBeCloseTo(sigmoid(-4), 5);
  });
});

describe('without a timely response', () => {
  test('reports missing or broken files, and loads them once they exist', async () => {
    await expect(reranker.score('q', ['good'], never)).rejects.toThrow(RerankerUnavailable);
    await writeTinyCrossEncoder(directory);
    await writeFile(join(directory, RERANKER_FILES.model), 'no model');
    await expect(reranker.score('q', ['good'], never)).rejects.toThrow(RerankerUnavailable);
    await writeTinyCrossEncoder(directory);
    expect(await reranker.score('q', ['good'], never)).toHaveLength(1);
  });

  test('gives up at the timeout, and serves later calls', async () => {
    await writeTinyCrossEncoder(directory);
    // The model is not loaded within a millisecond.
    expect(await rerank(reranker, 'q', [{ id: 'a', text: 'good' }], 1)).toBeNull();
    const later = await rerank(
      reranker,
      'q',
      [
        { id: 'a', text: 'good' },
        { id: 'b', text: 'bad' },
      ],
      20_000,
    );
    expect([...(later ?? [])].map(([id]) => id)).toEqual(['a', 'b']);
    expect(later?.get('a')).toBeCloseTo(sigmoid(2), 5);
    await reranker.close();
    expect(await rerank(reranker, 'q', [{ id: 'a', text: 'good' }], 20_000)).toBeNull();
  });
});
