import type { Config } from '../../config/config.ts';
import type { DataClass } from '../../domain/data-classes.ts';
import type { HttpEmbedding } from '../../config/embedding-settings.ts';
import { PRESETS } from '../../domain/embedding-presets.ts';
import type { EmbeddingPreset } from '../../domain/embedding-presets.ts';
import type { Embedders } from '../../domain/ports/embedder.ts';
import { limitEmbeddedClasses } from '../limit-classes.ts';
import { createOpenAiEmbedder } from './openai-embedder.ts';
import { embeddingModelDirectory } from './model-directory.ts';
import { createOnnxEmbedder } from './onnx-embedder.ts';
import type { OnnxEmbedderOptions } from './onnx-embedder.ts';

/**
 * Creates the configured embedders and those of the other presets, which a change of the preset needs; a local one loads its model on first use. Files of
 * the other presets are those of the cache: a configured folder has those of one. `presets`: all that there are.
 */
export function createEmbedders(
  { embedding, cacheDir, maxClass }: Pick<Config, 'embedding' | 'cacheDir'> & { readonly maxClass: DataClass },
  options: Omit<OnnxEmbedderOptions, 'preset' | 'modelDir'>,
  presets: readonly EmbeddingPreset[] = Object.values(PRESETS),
): Embedders {
  const { http, previous } = embedding;
  const local = createOnnxEmbedder({
    ...options,
    preset: embedding.preset,
    modelDir: embeddingModelDirectory(embedding.modelDir, cacheDir, embedding.preset),
  });
  const others = presets
    .filter(({ name }) => name !== embedding.preset.name)
    .map((preset) =>
      createOnnxEmbedder({ ...options, preset, modelDir: embeddingModelDirectory(undefined, cacheDir, preset) }),
    );
  const outside = (settings: HttpEmbedding) => limitEmbeddedClasses(createOpenAiEmbedder(settings), maxClass);
  const provider = http === null ? null : outside(http);
  const before =
    http === null || previous === null
      ? null
      : outside({ ...http, model: previous.name, dimension: previous.dimension, unrelated: undefined });
  const all = [local, provider, before, ...others].filter((embedder) => embedder !== null);
  return {
    wanted: embedding.provider === 'http' && provider !== null ? provider : local,
    of: (model) => all.find((embedder) => embedder.model === model) ?? null,
    async close() {
      await Promise.all(all.map((embedder) => embedder.close()));
    },
  };
}
