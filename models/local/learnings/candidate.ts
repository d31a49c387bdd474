import type { Evidence, ItemKind, KnownLearning } from '../../../domain/ports/model.ts';

/** Where a note stands once it is chosen. */
type NotePlace = 'told' | 'point' | 'item' | 'todo';

/** Something that could be written down, and what it is worth. */
export interface Candidate {
  readonly place: NotePlace;
  /** Of items; null for other notes. */
  readonly kind: ItemKind | null;
  /** Short heading of an item; empty where the text is short enough to be one. */
  readonly title: string;
  readonly text: string;
  readonly evidence: readonly Evidence[];
  /** What it is about, for comparing: two candidates with the same terms say the same. */
  readonly terms: readonly string[];
  /** How probably somebody looks for it later; about 1 for a plain statement of the user. */
  readonly value: number;
  /** Place of the row and of the sentence in it. */
  readonly rowIndex: number;
  readonly order: number;
  /** A sentence of the user, which can name a topic. */
  readonly asked: boolean;
}

/** What of the known is compared with candidates: what it says is not news. */
export function knownTexts(known: readonly KnownLearning[]): readonly string[] {
  return known.map(({ title, description }) => `${title} ${description}`);
}
