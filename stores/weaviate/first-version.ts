import { versionOfIndex } from '../../domain/index-model.ts';

/** Scripts that are written without spaces between words. */
const UNSPACED_RUN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー]+/gu;
/** An identifier with an inner capital. */
const CAMEL_WORD = /\b(?=[A-Za-z0-9]*[a-z])[A-Za-z][a-z0-9]*[A-Z][A-Za-z0-9]*\b/gu;
const CAMEL_PARTS = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+/gu;

/**
 * Returns true for an index of the first version, which is served until its successor is built. The server splits its texts into unstemmed words, and
 * titles have their own property: without this form of objects and queries, its keyword search would find little meanwhile.
 */
export function isFirstVersion(index: string): boolean {
  return versionOfIndex(index) === 1;
}

function pairs(run: string): string {
  const characters = Array.from(run);
  if (characters.length < 3) return ` ${run} `;
  const overlapping = characters.slice(1).map((character, at) => `${characters[at] ?? ''}${character}`);
  return ` ${overlapping.join(' ')} `;
}

/** Text as an index of the first version gets it. */
export function firstIndexedText(text: string): string {
  return text
    .replace(UNSPACED_RUN, pairs)
    .replace(CAMEL_WORD, (word) => `${word} ${(word.match(CAMEL_PARTS) ?? []).join(' ')}`);
}

/** Returns a query in the form of an index of the first version. */
export function firstQueryText(query: string): string {
  return query.replace(UNSPACED_RUN, pairs);
}
