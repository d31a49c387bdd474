/** The default embedding model: bge-small-en-v1.5 with 8-bit weights, as the public model hub serves it. */
export const BGE_SMALL = {
  /** Part of every vector's id: a new name means new vectors. */
  name: 'bge-small-en-v1.5-q',
  dimension: 384,
  /** Tokens that the model can see, [CLS] and [SEP] included. */
  windowTokens: 512,
  /** The model was trained with this before questions, and with nothing before passages. */
  queryPrefix: 'Represent this sentence for searching relevant passages: ',
} as const;

export interface ModelFile {
  /** Name in a model directory. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** What a model directory holds. Any other content under these names is refused. */
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
