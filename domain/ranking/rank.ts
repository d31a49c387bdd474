import { fuse } from '../fusion.ts';
import type { FusedMemory, RetrieverResult, Scale } from '../fusion.ts';
import type { RecallHit } from '../ports/vector-index.ts';

/** A memory with its own score. */
export interface OwnScore {
  /** 0–1 */
  readonly score: number;
  /** Null without a session. */
  readonly sessionId: string | null;
}

/** Two memories at 0.87 of the best score equal the best one, of those at half of it 32: many weak hits do not outweigh a strong one. */
const POWER = 5;

/**
 * Returns each session's evidence for the query: the sum of the fifth powers of its memories' scores, scaled so that the best session has 1.
 * Form: a power mean of passage scores represents their document (CombSUM and CombMAX are its limits; Fox and Shaw, TREC-2, 1994).
 */
export function sessionEvidence(scored: readonly OwnScore[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { score, sessionId } of scored)
    if (sessionId !== null) sums.set(sessionId, (sums.get(sessionId) ?? 0) + score ** POWER);
  const most = [...sums.values()].reduce((best, sum) => Math.max(best, sum), 0);
  return new Map([...sums].map(([id, sum]) => [id, most === 0 ? 0 : sum / most]));
}

/** The intent of a query, if its words express one. */
export type QueryIntent = 'command' | 'statement';

/** Tools for reading and for lists: found by their arguments, and of little content. */
const LOOKING_TOOLS = new Set([
  'read',
  'notebookread',
  'read_file',
  'grep',
  'grep_search',
  'codebase_search',
  'glob',
  'file_search',
  'ls',
  'list_dir',
  'todoread',
  'todowrite',
  'update_plan',
]);
const SHELL_TOOLS = new Set(['bash', 'shell', 'local_shell', 'exec_command', 'run_terminal_cmd', 'run_shell_command']);
const OVERVIEWS = new Set(['session', 'topic']);

/** Measured on the coding sessions, where 15 of 100 assistant's texts answer a query, 10 prompts, 5 commands, 2 edits and no list or read. */
const PRIORS = { text: 1, prompt: 0.95, overview: 0.95, tool: 0.9, looking: 0.7 } as const;
/** Factor for memories of another kind than the intended one. */
const OTHER_KIND = 0.8;

const COMMAND_CUES =
  /\b(?:commands?|one-liner|command line|shell)\b|^how (?:did|do|can|could) \w+ (?:run|start|install|build|execute|invoke)\b/iu;
const STATEMENT_CUES =
  /\b(?:did|do|should|would|am|was|had|have) i\b|\bmy (?:preferences?|opinion|wish(?:es)?|rules?|view|eyes)\b/iu;

/** Returns the intent of a query; null if its words express none. */
export function intentOf(query: string): QueryIntent | null {
  if (COMMAND_CUES.test(query)) return 'command';
  return STATEMENT_CUES.test(query) ? 'statement' : null;
}

function matchesIntent({ memoryType, kind, tool }: RecallHit, intent: QueryIntent): boolean {
  if (intent === 'command') return memoryType === 'observation' && SHELL_TOOLS.has(tool?.toLowerCase() ?? '');
  return memoryType === 'learning' || (memoryType === 'prompt' && kind === 'user');
}

function priorOfKind({ memoryType, kind, tool }: RecallHit): number {
  if (memoryType === 'observation') return LOOKING_TOOLS.has(tool?.toLowerCase() ?? '') ? PRIORS.looking : PRIORS.tool;
  if (memoryType === 'prompt' && kind === 'user') return PRIORS.prompt;
  return memoryType === 'summary' && OVERVIEWS.has(kind ?? '') ? PRIORS.overview : PRIORS.text;
}

/** Returns the probability that a memory of this kind is an answer: a factor of its score, 0–1. */
export function priorOf(hit: RecallHit, intent: QueryIntent | null): number {
  return priorOfKind(hit) * (intent === null || matchesIntent(hit, intent) ? 1 : OTHER_KIND);
}

export interface RankedMemory extends FusedMemory {
  readonly sessionId: string | null;
  /** Parts of the score, each 0–1: the fused score, the factor of its kind, and the evidence of its session, null without a session. */
  readonly parts: { readonly fused: number; readonly prior: number; readonly session: number | null };
}

export interface RankingWeights {
  /** Share of the session's evidence in a memory's score, 0–1; the memory's own score has the rest. */
  readonly session: number;
}

/** Similarity of unrelated texts in the default model. */
export const SIMILARITY_FLOOR = 0.3;

/**
 * Scales by the retriever's best score, not between best and worst: the last of forty hits is not worth zero, and a memory that one
 * retriever just missed would lose by chance.
 */
const byBest: Scale = (score, { name, top }) => {
  const floor = name === 'vector' ? SIMILARITY_FLOOR : 0;
  if (top <= floor) return score === top ? 1 : 0;
  return Math.max(0, (score - floor) / (top - floor));
};

/** Returns how many attributes of its memory a hit has: not every store returns session, kind and tool. */
function attributesOf({ sessionId, kind }: RecallHit): number {
  return (sessionId === undefined ? 0 : 1) + (kind === undefined ? 0 : 1);
}

/** Returns for each memory the most complete hit of any retriever. */
function mostCompleteHits(retrievers: readonly RetrieverResult[]): ReadonlyMap<string, RecallHit> {
  const hits = new Map<string, RecallHit>();
  for (const hit of retrievers.flatMap((retriever) => retriever.hits)) {
    const known = hits.get(hit.memoryId);
    if (known === undefined || attributesOf(hit) > attributesOf(known)) hits.set(hit.memoryId, hit);
  }
  return hits;
}

/**
 * Ranks the retrievers' hits, best first, scores 0–1: fused by each retriever's best score, weighted by the kind's prior, and raised by the
 * other evidence of the session, since queries are about pieces of work, not lines of output. Ties are broken by id.
 */
export function rankMemories(
  retrievers: readonly RetrieverResult[],
  query: string,
  weights: RankingWeights,
): RankedMemory[] {
  const hits = mostCompleteHits(retrievers);
  const intent = intentOf(query);
  const own = fuse(retrievers, byBest).map((memory) => {
    const hit = hits.get(memory.memoryId);
    const prior = hit === undefined ? 1 : priorOf(hit, intent);
    return { memory, prior, score: memory.score * prior, sessionId: hit?.sessionId ?? null };
  });
  const evidence = sessionEvidence(own);
  return own
    .map(({ memory, prior, score, sessionId }): RankedMemory => {
      const session = sessionId === null ? null : (evidence.get(sessionId) ?? 0);
      return {
        ...memory,
        sessionId,
        score: session === null ? score : (1 - weights.session) * score + weights.session * session,
        parts: { fused: memory.score, prior, session },
      };
    })
    .toSorted((a, b) => b.score - a.score || a.memoryId.localeCompare(b.memoryId));
}
