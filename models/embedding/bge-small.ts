import { join } from 'node:path';

/** The default embedding model: bge-small-en-v1.5 with 8-bit weights, from the public model hub. */
export const BGE_SMALL = {
  /** Part of every vector's id: a new name means new vectors. */
  name: 'bge-small-en-v1.5-q',
  dimension: 384,
  /** Context length in tokens, [CLS] and [SEP] included. */
  windowTokens: 512,
  /** Prefix of queries in the model's training; passages have none. */
  queryPrefix: 'Represent this sentence for searching relevant passages: ',
} as const;

export interface ModelFile {
  /** Name in a model directory. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Files of the model directory. Other content under these names is rejected. */
export const BGE_SMALL_FILES: { readonly model: ModelFile; readonly tokenizer: ModelFile } = {
  model: {
    name: 'model_quantized.onnx',
    bytes: 34_014_426,
    sha256: '6c9c6101a956d62dfb5e7190c538226c0c5bb9cb27b651234b6df063ee7dbfe4',
  },
  tokenizer: {
    name: 'tokenizer.json',
    bytes: 742_067,
    sha256: 'ffb28886478b9b17a8c06f4fe6741b970d5dd3de13330ccc3b9f686df8a0545a',
  },
};

/** Returns the directory of the embedding model's files: the configured one, else one in the cache. */
export function embeddingModelDirectory(configured: string | undefined, cacheDir: string): string {
  return configured ?? join(cacheDir, 'models', BGE_SMALL.name);
}
