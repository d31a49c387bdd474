import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { PRESET_NAMES, PRESETS } from '../domain/embedding-presets.ts';
import type { EmbeddingPreset } from '../domain/embedding-presets.ts';
import { providerUrl } from './provider-settings.ts';

const positiveInt = z.coerce.number().int().positive();
/** Each thread takes about 60 MB. */
const MAX_DEFAULT_THREADS = 8;
const MODEL_AND_DIMENSION = /^(.{1,100}):(\d{1,5})$/u;

/** Settings of the embedding model, the vector cache, and changes of the model. */
export const embeddingEnvironment = {
  RECOLLECT_EMBEDDING_PROVIDER: z
    .enum(['local', 'http'])
    .default('local')
    .describe('Embedding by the local ONNX model, or by a provider with `POST /v1/embeddings`'),
  RECOLLECT_EMBEDDING_PRESET: z
    .enum(PRESET_NAMES)
    .default(PRESET_NAMES[0])
    .describe('Local embedding model; a change builds the index again beside the served one'),
  RECOLLECT_EMBEDDING_MODEL_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('Folder of the preset’s files; unset: the cache'),
  RECOLLECT_EMBEDDING_THREADS: positiveInt
    .max(64)
    .optional()
    .describe(
      'Threads of the embedding model of a worker, each a process with a copy of it; unset: one a core, at most 8',
    ),
  RECOLLECT_EMBEDDING_URL: providerUrl
    .optional()
    .describe('Address of the provider without `/embeddings`, for example ending in `/v1`'),
  RECOLLECT_EMBEDDING_API_KEY: z
    .string()
    .min(1)
    .optional()
    .describe('Key of the provider; optional for your own server'),
  RECOLLECT_EMBEDDING_MODEL: z.string().min(1).max(100).optional().describe('Model of the provider'),
  RECOLLECT_EMBEDDING_DIMENSION: positiveInt.max(16_384).optional().describe('Dimension of the vectors of that model'),
  RECOLLECT_EMBEDDING_SEND_DIMENSION: z
    .stringbool()
    .default(false)
    .describe('Send the dimension to the provider, for models with variable dimensions'),
  RECOLLECT_EMBEDDING_QUERY_PREFIX: z.string().max(1_000).default('').describe('Prefix of queries for the provider'),
  RECOLLECT_EMBEDDING_PASSAGE_PREFIX: z
    .string()
    .max(1_000)
    .default('')
    .describe('Prefix of other texts for the provider'),
  RECOLLECT_EMBEDDING_INPUT_TYPE: z
    .stringbool()
    .default(false)
    .describe('Send `input_type` (query or document) to the provider, as Voyage requires'),
  RECOLLECT_EMBEDDING_BATCH_TEXTS: positiveInt
    .max(2_048)
    .default(128)
    .describe('Maximum texts of one request to the provider'),
  RECOLLECT_EMBEDDING_BATCH_CHARACTERS: positiveInt
    .default(200_000)
    .describe('Maximum characters of one request to the provider'),
  RECOLLECT_EMBEDDING_TEXT_CHARACTERS: positiveInt
    .default(16_000)
    .describe('Maximum characters of a text; longer ones are truncated'),
  RECOLLECT_EMBEDDING_TIMEOUT_MS: positiveInt
    .max(300_000)
    .default(30_000)
    .describe('Timeout of one request to the provider, in ms, at most five minutes; at most 5 s for queries'),
  RECOLLECT_EMBEDDING_USD_PER_MTOK: z.coerce
    .number()
    .min(0)
    .default(0)
    .describe('Price of the provider, US dollars per million tokens'),
  RECOLLECT_EMBEDDING_UNRELATED: z.coerce
    .number()
    .min(0)
    .max(0.95)
    .optional()
    .describe(
      'Median cosine of unrelated texts with the model of the provider, which thresholds are scaled by; unset: that of the preset with the name of the model, else of the default preset',
    ),
  RECOLLECT_EMBEDDING_PREVIOUS: z
    .string()
    .regex(MODEL_AND_DIMENSION, { error: 'must be a model and its dimension, separated by a colon' })
    .optional()
    .describe(
      '`model:dimension` of the previous model at the same provider, for vector search while the new index is built',
    ),
  RECOLLECT_EMBEDDING_CACHE_ENTRIES: z.coerce
    .number()
    .int()
    .min(0)
    .max(100_000_000)
    .default(200_000)
    .describe('Cached vectors per tenant, about 1 KB each at 384 dimensions; 0: no cache'),
  RECOLLECT_REINDEX_GRACE_MS: positiveInt
    .min(10_000)
    .default(600_000)
    .describe('Time that the previous index is retained after a change of the model, in ms'),
};

const environment = z.object(embeddingEnvironment);

/** Returns name and dimension of `name:dimension`. */
function readPrevious(given: string | undefined): { readonly name: string; readonly dimension: number } | null {
  const [, name, dimension] = MODEL_AND_DIMENSION.exec(given ?? '') ?? [];
  return name === undefined || dimension === undefined ? null : { name, dimension: Number(dimension) };
}

/** Returns a preset without its literal types. */
const presetOf = (name: (typeof PRESET_NAMES)[number]): EmbeddingPreset => PRESETS[name];

/** Returns the part of the configuration of these settings. */
export function embeddingConfig(env: z.output<typeof environment>) {
  return {
    provider: env.RECOLLECT_EMBEDDING_PROVIDER,
    preset: presetOf(env.RECOLLECT_EMBEDDING_PRESET),
    modelDir: env.RECOLLECT_EMBEDDING_MODEL_DIR,
    threads: env.RECOLLECT_EMBEDDING_THREADS ?? Math.min(availableParallelism(), MAX_DEFAULT_THREADS),
    /** Null if unset. A change back to the local model needs the provider until the new index is complete. */
    http:
      env.RECOLLECT_EMBEDDING_URL === undefined ||
      env.RECOLLECT_EMBEDDING_MODEL === undefined ||
      env.RECOLLECT_EMBEDDING_DIMENSION === undefined
        ? null
        : {
            url: env.RECOLLECT_EMBEDDING_URL,
            apiKey: env.RECOLLECT_EMBEDDING_API_KEY,
            model: env.RECOLLECT_EMBEDDING_MODEL,
            dimension: env.RECOLLECT_EMBEDDING_DIMENSION,
            sendsDimension: env.RECOLLECT_EMBEDDING_SEND_DIMENSION,
            queryPrefix: env.RECOLLECT_EMBEDDING_QUERY_PREFIX,
            passagePrefix: env.RECOLLECT_EMBEDDING_PASSAGE_PREFIX,
            sendsInputType: env.RECOLLECT_EMBEDDING_INPUT_TYPE,
            maxTexts: env.RECOLLECT_EMBEDDING_BATCH_TEXTS,
            maxCharacters: env.RECOLLECT_EMBEDDING_BATCH_CHARACTERS,
            maxTextCharacters: env.RECOLLECT_EMBEDDING_TEXT_CHARACTERS,
            timeoutMs: env.RECOLLECT_EMBEDDING_TIMEOUT_MS,
            usdPerMTok: env.RECOLLECT_EMBEDDING_USD_PER_MTOK,
            unrelated: env.RECOLLECT_EMBEDDING_UNRELATED,
          },
    previous: readPrevious(env.RECOLLECT_EMBEDDING_PREVIOUS),
    cacheEntries: env.RECOLLECT_EMBEDDING_CACHE_ENTRIES,
    graceMs: env.RECOLLECT_REINDEX_GRACE_MS,
  };
}

export type HttpEmbedding = NonNullable<ReturnType<typeof embeddingConfig>['http']>;
