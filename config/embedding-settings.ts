import { z } from 'zod';

const positiveInt = z.coerce.number().int().positive();
const MODEL_AND_DIMENSION = /^(.{1,100}):(\d{1,5})$/u;

/** Settings of the embedding model, of the cache of vectors, and of a change of the model. */
export const embeddingEnvironment = {
  RECOLLECT_EMBEDDING_PROVIDER: z
    .enum(['local', 'http'])
    .default('local')
    .describe('Who embeds: the ONNX model on this machine, or a provider that speaks `POST /v1/embeddings`'),
  RECOLLECT_EMBEDDING_MODEL_DIR: z
    .string()
    .min(1)
    .optional()
    .describe('Folder with the ONNX embedding model, instead of the cache'),
  RECOLLECT_EMBEDDING_THREADS: positiveInt.max(64).default(2).describe('Threads of the embedding model in a worker'),
  RECOLLECT_EMBEDDING_URL: z
    .url({ protocol: /^https?$/u })
    .optional()
    .describe('Address of the provider up to and without `/embeddings`, e.g. ending in `/v1`'),
  RECOLLECT_EMBEDDING_API_KEY: z
    .string()
    .min(1)
    .optional()
    .describe('Key of the provider; a server of your own may need none'),
  RECOLLECT_EMBEDDING_MODEL: z.string().min(1).max(100).optional().describe('Model of the provider'),
  RECOLLECT_EMBEDDING_DIMENSION: positiveInt.max(16_384).optional().describe('Numbers in a vector of that model'),
  RECOLLECT_EMBEDDING_SEND_DIMENSION: z
    .stringbool()
    .default(false)
    .describe('Tell the provider the dimension, for models that can be shortened'),
  RECOLLECT_EMBEDDING_QUERY_PREFIX: z
    .string()
    .max(1_000)
    .default('')
    .describe('Stands before each question that the provider embeds'),
  RECOLLECT_EMBEDDING_PASSAGE_PREFIX: z
    .string()
    .max(1_000)
    .default('')
    .describe('Stands before each other text that it embeds'),
  RECOLLECT_EMBEDDING_INPUT_TYPE: z
    .stringbool()
    .default(false)
    .describe('Tell the provider in `input_type` what is a query and what a document, as Voyage asks for'),
  RECOLLECT_EMBEDDING_BATCH_TEXTS: positiveInt.max(2_048).default(128).describe('Texts of one request to the provider'),
  RECOLLECT_EMBEDDING_BATCH_CHARACTERS: positiveInt
    .default(200_000)
    .describe('Characters of one request to the provider'),
  RECOLLECT_EMBEDDING_TEXT_CHARACTERS: positiveInt.default(16_000).describe('A longer text is cut before it is sent'),
  RECOLLECT_EMBEDDING_TIMEOUT_MS: positiveInt
    .default(30_000)
    .describe('Bound of one request to the provider; a question gets five seconds at most'),
  RECOLLECT_EMBEDDING_USD_PER_MTOK: z.coerce
    .number()
    .min(0)
    .default(0)
    .describe('Price of the provider, US dollars per million tokens'),
  RECOLLECT_EMBEDDING_PREVIOUS: z
    .string()
    .regex(MODEL_AND_DIMENSION, { error: 'needs a model and its dimension, joined by a colon' })
    .optional()
    .describe(
      '`model:dimension` at the same provider that vectors were made with before, so that search by meaning goes on while the index is built anew',
    ),
  RECOLLECT_EMBEDDING_CACHE_ENTRIES: z.coerce
    .number()
    .int()
    .min(0)
    .max(100_000_000)
    .default(200_000)
    .describe('Vectors of texts that are kept for each tenant, about 1 KB each at 384 dimensions; 0: none'),
  RECOLLECT_REINDEX_GRACE_MS: positiveInt
    .min(10_000)
    .default(600_000)
    .describe('How long the index that was served before a change of the model stands after it'),
};

const environment = z.object(embeddingEnvironment);

/** Name and dimension that were joined by a colon. */
function readPrevious(given: string | undefined): { readonly name: string; readonly dimension: number } | null {
  const [, name, dimension] = MODEL_AND_DIMENSION.exec(given ?? '') ?? [];
  return name === undefined || dimension === undefined ? null : { name, dimension: Number(dimension) };
}

/** The part of the configuration that the settings above make. */
export function embeddingConfig(env: z.output<typeof environment>) {
  return {
    provider: env.RECOLLECT_EMBEDDING_PROVIDER,
    modelDir: env.RECOLLECT_EMBEDDING_MODEL_DIR,
    threads: env.RECOLLECT_EMBEDDING_THREADS,
    /** Null where the settings tell of none: a change back to the local model needs the old one until it is through. */
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
          },
    previous: readPrevious(env.RECOLLECT_EMBEDDING_PREVIOUS),
    cacheEntries: env.RECOLLECT_EMBEDDING_CACHE_ENTRIES,
    graceMs: env.RECOLLECT_REINDEX_GRACE_MS,
  };
}

export type HttpEmbedding = NonNullable<ReturnType<typeof embeddingConfig>['http']>;
