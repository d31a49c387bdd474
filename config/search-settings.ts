import { z } from 'zod';

const fraction = z.coerce.number().min(0).max(1);

/** Settings of search: how lanes are weighed, and what one may cost. */
export const searchEnvironment = {
  RECOLLECT_SEARCH_KEYWORD_WEIGHT: fraction
    .default(0.4)
    .describe('Weight of keyword against vector in the fused score'),
  RECOLLECT_SEARCH_SESSION_WEIGHT: fraction
    .default(0.2)
    .describe('Share of a memory’s score that its session’s other hits give; 0: each memory by itself'),
  RECOLLECT_SEARCH_GRAPH_WEIGHT: fraction
    .default(0.1)
    .describe(
      'Weight, beside those two, of what the graph links with a file, error or identifier that a question names',
    ),
  RECOLLECT_SEARCH_RECENCY_WEIGHT: fraction
    .default(0.5)
    .describe('Weight of age where a question asks for the newest; other questions are not ranked by it'),
  RECOLLECT_SEARCH_TIME_BONUS: fraction
    .default(0.3)
    .describe(
      'Added to the score of what happened at the time that a question speaks of ("last week"): it comes first, the rest stays',
    ),
  RECOLLECT_SEARCH_DIVERSITY: fraction
    .default(0.05)
    .describe(
      'Taken from the score of what repeats a better result, by its likeness; 0: results may repeat each other',
    ),
  RECOLLECT_SEARCH_RETRIEVER_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .positive()
    .max(30_000)
    .default(2_000)
    .describe('How long one way of recall is waited for; the others then answer, and say what was missing'),
  RECOLLECT_RERANKER_DIR: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Folder with a cross-encoder (`model.onnx`, `tokenizer.json`) that rereads the best candidates; unset: none does',
    ),
  RECOLLECT_RERANK_CANDIDATES: z.coerce
    .number()
    .int()
    .min(2)
    .max(100)
    .default(20)
    .describe('Candidates that the cross-encoder rereads: its time grows with each'),
  RECOLLECT_RERANK_TIMEOUT_MS: z.coerce
    .number()
    .int()
    .positive()
    .max(10_000)
    .default(150)
    .describe('Past this the fused order stands, and the answer says so'),
};

const environment = z.object(searchEnvironment);

/** The part of the configuration that the settings above make. */
export function searchConfig(env: z.output<typeof environment>) {
  return {
    keywordWeight: env.RECOLLECT_SEARCH_KEYWORD_WEIGHT,
    ranking: { session: env.RECOLLECT_SEARCH_SESSION_WEIGHT },
    graphWeight: env.RECOLLECT_SEARCH_GRAPH_WEIGHT,
    recencyWeight: env.RECOLLECT_SEARCH_RECENCY_WEIGHT,
    timeBonus: env.RECOLLECT_SEARCH_TIME_BONUS,
    diversity: env.RECOLLECT_SEARCH_DIVERSITY,
    retrieverTimeoutMs: env.RECOLLECT_SEARCH_RETRIEVER_TIMEOUT_MS,
    rerankerDir: env.RECOLLECT_RERANKER_DIR,
    rerankCandidates: env.RECOLLECT_RERANK_CANDIDATES,
    rerankTimeoutMs: env.RECOLLECT_RERANK_TIMEOUT_MS,
  };
}
