import { capitalised, shorten } from '../../../domain/text/clean.ts';
import { noteTitle } from './notes.ts';

/** Long enough for the subject, too short to repeat the note. */
const MAX_CHARACTERS = 48;

/** Returns a heading for a note: its first words, as a title. Empty only for an empty text. */
export function headingOf(terms: readonly string[], text: string): string {
  const heading = shorten(noteTitle(text), MAX_CHARACTERS);
  return heading === '' ? capitalised(shorten(terms[0] ?? text, MAX_CHARACTERS)) : heading;
}
