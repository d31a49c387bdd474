import { capitalised, shorten } from '../../../domain/text/clean.ts';
import { noteTitle } from './notes.ts';

/** Long enough to tell what a note is about, short enough not to say it twice. */
const MAX_CHARACTERS = 48;

/** A heading for a note whose text stands beside it: its first words, as a title. Not empty where the text is not. */
export function headingOf(terms: readonly string[], text: string): string {
  const heading = shorten(noteTitle(text), MAX_CHARACTERS);
  return heading === '' ? capitalised(shorten(terms[0] ?? text, MAX_CHARACTERS)) : heading;
}
