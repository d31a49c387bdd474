import { processEnvironment } from '../../config/process-environment.ts';
import { cacheDirectory } from '../../infra/instance/layout.ts';
import { embeddingModelDirectory } from '../../models/embedding/bge-small.ts';
import { createOnnxEmbedder } from '../../models/embedding/onnx-embedder.ts';

/** Loads the embedding model of the machine's cache. */
export const benchEmbedder = (options: { readonly threads: number }) =>
  createOnnxEmbedder({
    modelDir: embeddingModelDirectory(undefined, cacheDirectory(processEnvironment())),
    ...options,
  });
