import { capitalised } from '../../domain/text/clean.ts';
import { termsOf } from '../../domain/text/terms.ts';

const MAX_WORDS = 4;
const MAX_CHARACTERS = 80;
/** Words that tell how a thing is said, not what it is about. */
const NOT_A_SUBJECT =
  /^(?:because|instead|decision|decided|always|never|fixed|really|must|should\w*|don|doesn|didn|isn|wasn|might|rather|already|everything|something|anything|yourself|being|actually|think|thought|want|needs?|make|sure|please|without|before|after|while|also|then|there|they|them|cause|root|caused|issue|problem|reason)$/iu;
const WORD = /[\p{L}\p{N}_]+(?:[./-][\p{L}\p{N}_]+)*/gu;

/** A heading of a few telling words in the order in which they stand: the longest ones say most. Not empty where the text is not. */
export function headingOf(terms: readonly string[], text: string): string {
  const words = [...new Set([...text.matchAll(WORD)].map(([word]) => word))].filter(
    (word) => termsOf(word).length > 0 && word.length >= 4 && !NOT_A_SUBJECT.test(word),
  );
  const longest = new Set(
    words.toSorted((a, b) => Math.min(b.length, 14) - Math.min(a.length, 14)).slice(0, MAX_WORDS),
  );
  const heading = words.filter((word) => longest.has(word)).join(', ');
  return capitalised((heading === '' ? (terms[0] ?? text) : heading).slice(0, MAX_CHARACTERS).toWellFormed());
}
