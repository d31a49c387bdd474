import type { Evidence, ItemKind, KnownLearning } from '../../../domain/ports/model.ts';
import { clamped } from '../notes/notes.ts';

/** Section of a chosen note. */
type NotePlace = 'narrative' | 'point' | 'item' | 'todo';

/** A possible note, with its value. */
export interface Candidate {
  readonly place: NotePlace;
  /** Of items; null for other notes. */
  readonly kind: ItemKind | null;
  /** Short heading of an item; empty if the text is short enough to be one. */
  readonly title: string;
  readonly text: string;
  readonly evidence: readonly Evidence[];
  /** Content words for comparison: candidates with equal terms are equal. */
  readonly terms: readonly string[];
  /** Estimated probability that a reader looks for it later; about 1 for a plain statement of the user. */
  readonly value: number;
  /** Position of the row, and of the sentence in it. */
  readonly rowIndex: number;
  readonly order: number;
  /** A sentence of the user, which can become a title. */
  readonly isFromUser: boolean;
}

/** Returns the texts of known learnings that candidates are compared with. */
export function knownTexts(known: readonly KnownLearning[]): readonly string[] {
  return known.map(({ title, description }) => `${title} ${description}`);
}

/** Factors of a learning's confidence. */
interface Grounds {
  /** Confidence of this kind of learning by itself: 0–1. */
  readonly base: number;
  /** The record states the cause or the reason. */
  readonly explained?: boolean;
  /** A run of the tests, the compiler or the linter confirmed it. */
  readonly verified?: boolean;
  /** It occurred more than once. */
  readonly repeated?: boolean;
  /** The words express doubt ("maybe", "I think"). */
  readonly hedged?: boolean;
}

/** base + 0.15 if explained + 0.1 if verified + 0.1 if repeated − 0.15 if hedged, between 0.2 and 0.95. */
export function confidenceOf({ base, explained, verified, repeated, hedged }: Grounds): number {
  const sum = base + (explained ? 0.15 : 0) + (verified ? 0.1 : 0) + (repeated ? 0.1 : 0) - (hedged ? 0.15 : 0);
  return clamped(sum, 0.2, 0.95);
}
