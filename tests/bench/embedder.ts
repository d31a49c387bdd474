import { processEnvironment } from '../../config/process-environment.ts';
import { presetIn } from '../../infra/bootstrap/model-files.ts';
import { cacheDirectory } from '../../infra/instance/layout.ts';
import { embeddingModelDirectory } from '../../models/embedding/model-directory.ts';
import { createOnnxEmbedder } from '../../models/embedding/onnx-embedder.ts';

/** Loads the configured preset from the machine's cache. */
export const benchEmbedder = (options: { readonly threads: number }) => {
  const environment = processEnvironment();
  const preset = presetIn(environment);
  return createOnnxEmbedder({
    preset,
    modelDir: embeddingModelDirectory(undefined, cacheDirectory(environment), preset),
    ...options,
  });
};
