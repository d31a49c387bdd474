import type {
  Evidence,
  LearningDraft,
  LearningRelation,
  SessionSummaryDraft,
  TopicSummaryDraft,
} from '../../domain/ports/model.ts';
import { shorten } from '../../domain/text/clean.ts';
import type { LearningsResponse, SessionResponse, TopicResponse } from './schemas.ts';

/** Resolves the short ids of a rendering. Unknown ids are returned unchanged, so that grounding drops them. */
export interface Names {
  readonly rowId: (shortId: string) => string;
  /** Null for an unknown id. */
  readonly knownId: (shortId: string) => string | null;
}

const MAX_TITLE_CHARACTERS = 120;
const MAX_TAGS = 8;
const MAX_EXAMPLES = 3;

export function topicOf(answer: TopicResponse, names: Names): TopicSummaryDraft {
  return {
    title: titled(answer.title),
    content: answer.content,
    keyPoints: answer.keyPoints.map((point) => cited(point, names)),
    actionItems: answer.actionItems.map((point) => cited(point, names)),
    items: answer.items.map((item) => ({
      ...cited(item, names),
      title: titled(item.title),
      tags: item.tags.slice(0, MAX_TAGS),
      importance: share(item.importance),
    })),
  };
}

export function sessionOf(answer: SessionResponse, names: Names): SessionSummaryDraft {
  return {
    ...answer,
    title: titled(answer.title),
    keyPoints: answer.keyPoints.map((point) => cited(point, names)),
    actionItems: answer.actionItems.map((point) => cited(point, names)),
  };
}

export function learningsOf(answer: LearningsResponse, names: Names): readonly LearningDraft[] {
  return answer.learnings.map((learning) => ({
    ...cited(learning, names),
    title: titled(learning.title),
    examples: learning.examples.slice(0, MAX_EXAMPLES),
    tags: learning.tags.slice(0, MAX_TAGS),
    confidence: share(learning.confidence),
    relation: relationOf(learning.relation, names),
  }));
}

/** Drops relations to unknown learnings: the rules of consolidation then treat the learning as new. */
function relationOf(
  { kind, known }: LearningsResponse['learnings'][number]['relation'],
  names: Names,
): LearningRelation | null {
  const knownId = names.knownId(known);
  return kind === 'new' || knownId === null ? null : { kind, knownId };
}

interface WithQuotes {
  readonly evidence: readonly { readonly row: string; readonly quote: string }[];
}

/** Returns the claim with stored row ids instead of short ids. */
function cited<Claim extends WithQuotes>(
  claim: Claim,
  names: Names,
): Omit<Claim, 'evidence'> & { readonly evidence: readonly Evidence[] } {
  return { ...claim, evidence: claim.evidence.map(({ row, quote }) => ({ rowId: names.rowId(row), quote })) };
}

function titled(title: string): string {
  return shorten(title, MAX_TITLE_CHARACTERS);
}

function share(value: number): number {
  return Math.min(1, Math.max(0, value));
}
