import type { LearningDraft } from '../ports/model.ts';
import { DUPLICATE_SIMILARITY, isPlausible, judge, nearness } from './compare.ts';
import type { ComparedText, Verdict } from './compare.ts';

/** A current learning that drafts are compared with. */
export interface Neighbour {
  readonly id: string;
  readonly text: ComparedText;
  readonly verified: boolean;
  /** Time of its newest evidence, milliseconds since 1970. */
  readonly occurredAtMs: number;
}

export interface ComparedDraft {
  readonly draft: LearningDraft;
  readonly text: ComparedText;
  /** Time of the newest cited row, milliseconds since 1970. */
  readonly occurredAtMs: number;
  /** It cites a failure and the following passing run. */
  readonly proven: boolean;
}

/** The result for a draft. */
export type Placing =
  | { readonly kind: 'new' }
  /** Evidence for the known learning. */
  | { readonly kind: 'same'; readonly knownId: string }
  /** The next version of the known learning. */
  | { readonly kind: 'refines'; readonly knownId: string }
  /** The known learning is closed. */
  | { readonly kind: 'contradicts'; readonly knownId: string }
  /** Stored beside a verified learning, with less confidence and a mark. */
  | { readonly kind: 'disputes'; readonly knownId: string }
  /** Contradicts newer evidence: stored closed. */
  | { readonly kind: 'outdated'; readonly knownId: string };

/**
 * Relates a draft to its neighbours: by the model's plausible relation, else by rules; the nearest related neighbour wins. A verified
 * learning is never closed automatically.
 */
function placeDraft(compared: ComparedDraft, neighbours: readonly Neighbour[]): Placing {
  const nearest = neighbours
    .map((known) => ({ known, near: nearness(compared.text, known.text) }))
    .sort((a, b) => b.near - a.near);
  for (const { known, near } of nearest) {
    const verdict = verdictOn(compared, known);
    if (verdict === 'new') continue;
    const knownId = known.id;
    if (verdict === 'same') return { kind: 'same', knownId };
    if (verdict === 'contradicts') {
      if (compared.occurredAtMs < known.occurredAtMs) return { kind: 'outdated', knownId };
      return { kind: known.verified ? 'disputes' : 'contradicts', knownId };
    }
    if (!known.verified) return { kind: 'refines', knownId };
    // More detail than a verified learning is stored beside it, unless it duplicates it.
    if (near >= DUPLICATE_SIMILARITY) return { kind: 'same', knownId };
  }
  return { kind: 'new' };
}

function verdictOn(compared: ComparedDraft, known: Neighbour): Verdict {
  const { relation } = compared.draft;
  const byRules = judge(compared.text, known.text, compared.proven);
  if (relation === undefined) return byRules;
  if (relation !== null && relation.knownId === known.id && isPlausible(relation.kind, compared.text, known.text))
    return relation.kind;
  // A model's verdict "new" is accepted unless the texts are nearly equal.
  return nearness(compared.text, known.text) >= DUPLICATE_SIMILARITY ? byRules : 'new';
}

/**
 * Places each draft of one session, in order. A draft equal to an earlier one of the session becomes evidence for it: its `knownId` is
 * `draft:` and the other's index.
 */
export function placeDrafts(drafts: readonly ComparedDraft[], neighbours: readonly Neighbour[]): readonly Placing[] {
  return drafts.map((compared, index) => {
    const twin = drafts.findIndex((other, place) => place < index && judge(compared.text, other.text) === 'same');
    return twin === -1 ? placeDraft(compared, neighbours) : { kind: 'same', knownId: draftId(twin) };
  });
}

/** Returns which drafts are related to a stored learning, themselves or through an earlier draft that they repeat. */
export function areKnown(placings: readonly Placing[]): readonly boolean[] {
  const known: boolean[] = [];
  for (const placing of placings) {
    const twin = placing.kind === 'new' ? null : draftPlace(placing.knownId);
    known.push(placing.kind !== 'new' && (twin === null || known[twin] === true));
  }
  return known;
}

const DRAFT_ID = 'draft:';

/** Id of an earlier draft of the same session in {@link placeDrafts}. */
function draftId(place: number): string {
  return `${DRAFT_ID}${place}`;
}

/** Returns the index of an earlier draft; null for a stored learning. */
export function draftPlace(knownId: string): number | null {
  return knownId.startsWith(DRAFT_ID) ? Number(knownId.slice(DRAFT_ID.length)) : null;
}

/** Each further session with the same knowledge reduces the distance to certainty by this share. */
const CONFIDENCE_STEP = 0.25;
const MAX_CONFIDENCE = 0.99;
/** Confidence of a learning that disputes a verified one. */
const DISPUTED_CONFIDENCE = 0.3;

/** Returns the confidence after one more session showed it: c + (1 − c) × 0.25, at most 0.99. */
export function grownConfidence(confidence: number): number {
  return Math.max(confidence, Math.min(MAX_CONFIDENCE, confidence + (1 - confidence) * CONFIDENCE_STEP));
}

/** Returns the confidence of a learning that disputes a verified one. */
export function disputedConfidence(confidence: number): number {
  return Math.min(confidence, DISPUTED_CONFIDENCE);
}
