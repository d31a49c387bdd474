import type { Evidence, ItemKind, KnownLearning } from '../../../domain/ports/model.ts';

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
