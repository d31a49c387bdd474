/** A suffix and its replacement. The first suffix of a step that matches applies, so longer ones come first; it needs a long enough stem. */
type Rule = readonly [suffix: string, replacement: string];

const DERIVED: readonly Rule[] = [
  ['ational', 'ate'],
  ['tional', 'tion'],
  ['enci', 'ence'],
  ['anci', 'ance'],
  ['izer', 'ize'],
  ['bli', 'ble'],
  ['alli', 'al'],
  ['entli', 'ent'],
  ['eli', 'e'],
  ['ousli', 'ous'],
  ['ization', 'ize'],
  ['ation', 'ate'],
  ['ator', 'ate'],
  ['alism', 'al'],
  ['iveness', 'ive'],
  ['fulness', 'ful'],
  ['ousness', 'ous'],
  ['aliti', 'al'],
  ['iviti', 'ive'],
  ['biliti', 'ble'],
  ['logi', 'log'],
];
const QUALITIES: readonly Rule[] = [
  ['icate', 'ic'],
  ['ative', ''],
  ['alize', 'al'],
  ['iciti', 'ic'],
  ['ical', 'ic'],
  ['ful', ''],
  ['ness', ''],
];
const ENDINGS = [
  'ement',
  'ance',
  'ence',
  'able',
  'ible',
  'ment',
  'sion',
  'tion',
  'ant',
  'ent',
  'ism',
  'ate',
  'iti',
  'ous',
  'ive',
  'ize',
  'al',
  'er',
  'ic',
  'ou',
] as const;

const VOWELS = 'aeiou';
/** Longer words are hashes and similar. */
const MAX_CHARS = 32;
const MIN_CHARS = 3;

/** Maps a word to vowels (`v`) and consonants (`c`); y is a vowel after a consonant. */
function shapeOf(word: string): string {
  let shape = '';
  for (let at = 0; at < word.length; at += 1) {
    const letter = word.charAt(at);
    shape += VOWELS.includes(letter) || (letter === 'y' && shape.endsWith('c')) ? 'v' : 'c';
  }
  return shape;
}

/** Counts the vowel-consonant sequences: Porter's measure of a stem. */
function measure(shape: string): number {
  let count = 0;
  for (let at = 1; at < shape.length; at += 1) if (shape[at] === 'c' && shape[at - 1] === 'v') count += 1;
  return count;
}

function isShortSyllable(word: string, shape: string): boolean {
  return shape.endsWith('cvc') && !'wxy'.includes(word.charAt(word.length - 1));
}

function withoutPlural(word: string): string {
  if (word.endsWith('sses') || word.endsWith('ies')) return word.slice(0, -2);
  return word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word;
}

function withoutTense(word: string): string {
  if (word.endsWith('eed')) return measure(shapeOf(word.slice(0, -3))) > 0 ? word.slice(0, -1) : word;
  const cut = word.endsWith('ed') ? 2 : word.endsWith('ing') ? 3 : 0;
  const stem = word.slice(0, word.length - cut);
  const shape = shapeOf(stem);
  if (cut === 0 || !shape.includes('v')) return word;
  if (stem.endsWith('at') || stem.endsWith('bl') || stem.endsWith('iz')) return `${stem}e`;
  const last = stem.charAt(stem.length - 1);
  if (shape.endsWith('cc') && last === stem.charAt(stem.length - 2))
    return 'lsz'.includes(last) ? stem : stem.slice(0, -1);
  return measure(shape) === 1 && isShortSyllable(stem, shape) ? `${stem}e` : stem;
}

function replaced(word: string, rules: readonly Rule[]): string {
  const rule = rules.find(([suffix]) => word.endsWith(suffix));
  if (rule === undefined) return word;
  const stem = word.slice(0, -rule[0].length);
  return measure(shapeOf(stem)) > 0 ? stem + rule[1] : word;
}

function withoutEnding(word: string): string {
  const ending = ENDINGS.find((suffix) => word.endsWith(suffix));
  if (ending === undefined) return word;
  // -sion and -tion retain their first letter.
  const stem = word.slice(0, word.length - (ending === 'sion' || ending === 'tion' ? 3 : ending.length));
  return measure(shapeOf(stem)) > 1 ? stem : word;
}

function withoutLastE(word: string): string {
  const stem = word.endsWith('e') ? word.slice(0, -1) : word;
  const shape = shapeOf(stem);
  const length = measure(shape);
  const bare = stem !== word && (length > 1 || (length === 1 && !isShortSyllable(stem, shape))) ? stem : word;
  return bare.endsWith('ll') && measure(shapeOf(bare)) > 1 ? bare.slice(0, -1) : bare;
}

/**
 * Returns the stem of a lower-case English word for comparison ("installed", "installing" and "installs" share one), not for display.
 * Anything but plain a to z (identifiers with digits, other scripts) is unchanged.
 * Source: M. F. Porter, An algorithm for suffix stripping, Program 14(3), 1980, with the two rules that its author changed later (-bli, -logi).
 */
export function stem(word: string): string {
  if (word.length < MIN_CHARS || word.length > MAX_CHARS || !/^[a-z]+$/u.test(word)) return word;
  let stemmed = withoutTense(withoutPlural(word));
  if (stemmed.endsWith('y') && shapeOf(stemmed.slice(0, -1)).includes('v')) stemmed = `${stemmed.slice(0, -1)}i`;
  return withoutLastE(withoutEnding(replaced(replaced(stemmed, DERIVED), QUALITIES)));
}
