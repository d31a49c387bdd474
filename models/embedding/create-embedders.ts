import type { Config } from '../../config/config.ts';
import type { Embedders } from '../../domain/ports/embedder.ts';
import { createOpenAiEmbedder } from './openai-embedder.ts';
import { embeddingModelDirectory } from './bge-small.ts';
import { createOnnxEmbedder } from './onnx-embedder.ts';
import type { OnnxEmbedderOptions } from './onnx-embedder.ts';

/** Creates the configured embedders; the local one loads its model on first use. */
export function createEmbedders(
  { embedding, cacheDir }: Pick<Config, 'embedding' | 'cacheDir'>,
  options: Omit<OnnxEmbedderOptions, 'modelDir'>,
): Embedders {
  const { http, previous } = embedding;
  const local = createOnnxEmbedder({ ...options, modelDir: embeddingModelDirectory(embedding.modelDir, cacheDir) });
  const provider = http === null ? null : createOpenAiEmbedder(http);
  const before =
    http === null || previous === null
      ? null
      : createOpenAiEmbedder({ ...http, model: previous.name, dimension: previous.dimension });
  const all = [local, provider, before].filter((embedder) => embedder !== null);
  return {
    wanted: embedding.provider === 'http' && provider !== null ? provider : local,
    of: (model) => all.find((embedder) => embedder.model === model) ?? null,
    async close() {
      await Promise.all(all.map((embedder) => embedder.close()));
    },
  };
}
