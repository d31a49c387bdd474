import { versionOfIndex } from '../../domain/index-model.ts';

/** Scripts that are written without spaces between words. */
const UNSPACED_RUN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー]+/gu;
/** An identifier with an inner capital. */
const CAMEL_WORD = /\b(?=[A-Za-z0-9]*[a-z])[A-Za-z][a-z0-9]*[A-Z][A-Za-z0-9]*\b/gu;
const CAMEL_PARTS = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+/gu;

/**
 * True for an index of the first version, which is served until the one after it is built. Its words are cut by the server, as they stand and not as
 * stems, and titles have a property of their own: it is written and asked in that form, or its keyword search would find little meanwhile.
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

/** A question as an index of the first version is asked. */
export function firstQueryText(query: string): string {
  return query.replace(UNSPACED_RUN, pairs);
}
