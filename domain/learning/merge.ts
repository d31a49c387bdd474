import type { LearningDraft } from '../ports/model.ts';
import { DOUBLE, isPlausible, judge, nearness } from './compare.ts';
import type { ComparedText, Verdict } from './compare.ts';

/** A learning that stands, as drafts are compared with it. */
export interface Neighbour {
  readonly id: string;
  readonly text: ComparedText;
  readonly verified: boolean;
  /** When its newest evidence happened, milliseconds since 1970. */
  readonly occurredAtMs: number;
}

export interface ComparedDraft {
  readonly draft: LearningDraft;
  readonly text: ComparedText;
  /** When the newest row that it cites happened, milliseconds since 1970. */
  readonly occurredAtMs: number;
  /** It cites a failure, and the run after it that passed. */
  readonly proven: boolean;
}

/** What becomes of a draft. */
export type Placing =
  | { readonly kind: 'new' }
  /** Evidence for what is known. */
  | { readonly kind: 'same'; readonly knownId: string }
  /** The next version of what is known. */
  | { readonly kind: 'refines'; readonly knownId: string }
  /** What is known is closed. */
  | { readonly kind: 'contradicts'; readonly knownId: string }
  /** Stands beside a learning that a person verified, with less confidence, and says so. */
  | { readonly kind: 'disputes'; readonly knownId: string }
  /** Speaks against what happened later: kept as what was once said, closed from the start. */
  | { readonly kind: 'outdated'; readonly knownId: string };

/**
 * Where a draft belongs among its neighbours. What a model says of it is taken where it can be so, else rules decide; the nearest neighbour that is
 * concerned at all counts. No machine closes what a person verified.
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
    // More than a person verified stands beside it, unless it would be a double of it.
    if (near >= DOUBLE) return { kind: 'same', knownId };
  }
  return { kind: 'new' };
}

function verdictOn(compared: ComparedDraft, known: Neighbour): Verdict {
  const { relation } = compared.draft;
  const byRules = judge(compared.text, known.text, compared.proven);
  if (relation === undefined) return byRules;
  if (relation !== null && relation.knownId === known.id && isPlausible(relation.kind, compared.text, known.text))
    return relation.kind;
  // A model that calls it news is believed, unless it is nearly the same text.
  return nearness(compared.text, known.text) >= DOUBLE ? byRules : 'new';
}

/**
 * Where each draft of one session belongs, in order. A draft that says the same as an earlier one of the session is evidence for that: its
 * `knownId` is then `draft:` and the other one's place.
 */
export function placeDrafts(drafts: readonly ComparedDraft[], neighbours: readonly Neighbour[]): readonly Placing[] {
  return drafts.map((compared, index) => {
    const twin = drafts.findIndex((other, place) => place < index && judge(compared.text, other.text) === 'same');
    return twin === -1 ? placeDraft(compared, neighbours) : { kind: 'same', knownId: draftId(twin) };
  });
}

const DRAFT_ID = 'draft:';

/** What {@link placeDrafts} calls an earlier draft of the same session. */
function draftId(place: number): string {
  return `${DRAFT_ID}${place}`;
}

/** The place of an earlier draft that a placing names; null where it names a stored learning. */
export function draftPlace(knownId: string): number | null {
  return knownId.startsWith(DRAFT_ID) ? Number(knownId.slice(DRAFT_ID.length)) : null;
}

/** Every further session that shows the same knowledge closes this part of the distance to certainty. */
const CONFIDENCE_STEP = 0.25;
const MAX_CONFIDENCE = 0.99;
/** What speaks against a verified learning is doubted. */
const DISPUTED_CONFIDENCE = 0.3;

/** Confidence after one more session showed it: c + (1 − c) × 0.25, at most 0.99. */
export function grownConfidence(confidence: number): number {
  return Math.max(confidence, Math.min(MAX_CONFIDENCE, confidence + (1 - confidence) * CONFIDENCE_STEP));
}

/** Confidence of what disputes a verified learning. */
export function disputedConfidence(confidence: number): number {
  return Math.min(confidence, DISPUTED_CONFIDENCE);
}
