import { describe, expect, it } from 'vitest';
import type { Embedder } from '../../domain/ports/embedder.ts';
import { createQueryVectors } from '../../retrieval/search.ts';

/** An embedder that counts: the vector of a text is its length. */
function counting(): Embedder & { readonly embedded: string[] } {
  const embedded: string[] = [];
  return {
    embedded,
    model: 'counting',
    dimension: 1,
    embed: async (texts) => {
      embedded.push(...texts);
      return texts.map((text) => new Float32Array([text.length]));
    },
    calibration: null,
    likeness: (cosine) => cosine,
    ready: async () => true,
    close: async () => {},
  };
}

describe('cached query vectors', () => {
  it('are computed once for a repeated query', async () => {
    const embedder = counting();
    const vectorOf = createQueryVectors();
    const first = await vectorOf(embedder, 'abc');
    expect(first).toEqual(new Float32Array([3]));
    expect(await vectorOf(embedder, 'abc')).toBe(first);
    expect(await vectorOf(embedder, 'abcd')).toEqual(new Float32Array([4]));
    expect(embedder.embedded).toEqual(['abc', 'abcd']);
  });

  it('are bounded: the least recently used is evicted first', async () => {
    const embedder = counting();
    const vectorOf = createQueryVectors();
    await vectorOf(embedder, 'used');
    await vectorOf(embedder, 'evicted');
    for (let index = 0; index < 498; index += 1) await vectorOf(embedder, `filler ${index}`);
    await vectorOf(embedder, 'used');
    await vectorOf(embedder, 'one more');
    embedder.embedded.length = 0;
    await vectorOf(embedder, 'used');
    await vectorOf(embedder, 'evicted');
    expect(embedder.embedded).toEqual(['evicted']);
  });

  it('are separate for each model', async () => {
    const [one, other] = [counting(), { ...counting(), model: 'another' }];
    const vectorOf = createQueryVectors();
    await vectorOf(one, 'abc');
    await vectorOf(other, 'abc');
    expect([one.embedded, other.embedded]).toEqual([['abc'], ['abc']]);
  });

  it('are not cached if the embedder fails', async () => {
    const embedder = counting();
    let isDown = true;
    const vectorOf = createQueryVectors();
    const failing: Embedder = {
      ...embedder,
      embed: (texts, purpose) => (isDown ? Promise.reject(new Error('unavailable')) : embedder.embed(texts, purpose)),
    };
    await expect(vectorOf(failing, 'abc')).rejects.toThrow('unavailable');
    isDown = false;
    expect(await vectorOf(failing, 'abc')).toEqual(new Float32Array([3]));
  });
});
