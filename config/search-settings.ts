import { z } from 'zod';

const fraction = z.coerce.number().min(0).max(1);

/** Settings of search: weights and timeouts of retrievers, and reranking. */
export const searchEnvironment = {
  RECOLLECT_SEARCH_KEYWORD_WEIGHT: fraction
    .default(0.4)
    .describe('Weight of the keyword retriever against the vector retriever in the fused score'),
  RECOLLECT_SEARCH_SESSION_WEIGHT: fraction
    .default(0.2)
    .describe('Share of a memory’s score from other hits of its session; 0: none'),
  RECOLLECT_SEARCH_RECENCY_WEIGHT: fraction
    .default(0.5)
    .describe('Weight of recency for queries that request the newest'),
  RECOLLECT_SEARCH_TIME_BONUS: fraction
    .default(0.3)
    .describe('Added to the score of memories in the time range of a query ("last week")'),
  RECOLLECT_SEARCH_RETRIEVER_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .positive()
    .max(30_000)
    .default(2_000)
    .describe('Timeout of a retriever, in ms; results then come from the others and `degraded` lists it'),
  RECOLLECT_RERANKER_DIR: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Folder of a cross-encoder (`model.onnx`, `tokenizer.json`) that reranks the best candidates; unset: no reranking',
    ),
  RECOLLECT_RERANK_CANDIDATES: z.coerce
    .number()
    .int()
    .min(2)
    .max(100)
    .default(20)
    .describe('Candidates that the cross-encoder reranks; its time grows linearly'),
  RECOLLECT_RERANK_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .positive()
    .max(10_000)
    .default(150)
    .describe('Timeout of the cross-encoder, in ms; results then have the fused order and `degraded` lists it'),
};

const environment = z.object(searchEnvironment);

/** Returns the part of the configuration of these settings. */
export function searchConfig(env: z.output<typeof environment>) {
  return {
    keywordWeight: env.RECOLLECT_SEARCH_KEYWORD_WEIGHT,
    ranking: { session: env.RECOLLECT_SEARCH_SESSION_WEIGHT },
    recencyWeight: env.RECOLLECT_SEARCH_RECENCY_WEIGHT,
    timeBonus: env.RECOLLECT_SEARCH_TIME_BONUS,
    retrieverTimeoutMs: env.RECOLLECT_SEARCH_RETRIEVER_TIMEOUT_MS,
    rerankerDir: env.RECOLLECT_RERANKER_DIR,
    rerankCandidates: env.RECOLLECT_RERANK_CANDIDATES,
    rerankTimeoutMs: env.RECOLLECT_RERANK_TIMEOUT_MS,
  };
}
