import { describe, expect, it } from 'vitest';
import type { Embedder } from '../../domain/ports/embedder.ts';
import { createQueryVectors } from '../../retrieval/query-vectors.ts';

/** An embedder that counts: the vector of a text is its length. */
function counting(): Embedder & { readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    model: 'counting',
    dimension: 1,
    embed: async (texts) => {
      asked.push(...texts);
      return texts.map((text) => new Float32Array([text.length]));
    },
    ready: async () => true,
    close: async () => {},
  };
}

describe('vectors of questions', () => {
  it('are made once for a question that is asked again', async () => {
    const embedder = counting();
    const vectorOf = createQueryVectors(embedder);
    const first = await vectorOf('abc');
    expect(first).toEqual(new Float32Array([3]));
    expect(await vectorOf('abc')).toBe(first);
    expect(await vectorOf('abcd')).toEqual(new Float32Array([4]));
    expect(embedder.asked).toEqual(['abc', 'abcd']);
  });

  it('are bounded: the one asked longest ago goes first', async () => {
    const embedder = counting();
    const vectorOf = createQueryVectors(embedder);
    await vectorOf('kept');
    await vectorOf('gone');
    for (let index = 0; index < 498; index += 1) await vectorOf(`filler ${index}`);
    await vectorOf('kept');
    await vectorOf('one more');
    embedder.asked.length = 0;
    await vectorOf('kept');
    await vectorOf('gone');
    expect(embedder.asked).toEqual(['gone']);
  });

  it('are not kept when the embedder fails', async () => {
    const embedder = counting();
    let away = true;
    const vectorOf = createQueryVectors({
      ...embedder,
      embed: (texts, purpose) => (away ? Promise.reject(new Error('away')) : embedder.embed(texts, purpose)),
    });
    await expect(vectorOf('abc')).rejects.toThrow('away');
    away = false;
    expect(await vectorOf('abc')).toEqual(new Float32Array([3]));
  });
});
