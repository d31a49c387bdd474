import { termsOf } from '../text/terms.ts';

/** A text's polarity towards a word: for (1), against (-1), or both (0). */
export type Polarity = -1 | 0 | 1;

/** Words that negate the following ones. */
const NEGATION =
  /\b(?:not|never|no longer|don['’]?t|do not|doesn['’]?t|didn['’]?t|isn['’]?t|aren['’]?t|wasn['’]?t|won['’]?t|can['’]?t|cannot|mustn['’]?t|shouldn['’]?t|without|avoid(?:s|ed|ing)?|stop(?:s|ped)? using|instead of|rather than|away from|no more|drop(?:s|ped)? (?:support for|the)|forbid(?:s|den)?|disallow(?:s|ed)?|abandon(?:s|ed)?)\b|不再|不要|不能|不是|不用|不使用|禁止|避免|而不是|别用|勿|弃用|停用/giu;
/** The end of a negation. */
const CLAUSE_END =
  /[.;!?。；！？\n]|,|，|、|\b(?:but|instead,|because|since|so that|when|while|and then)\b|而是|因为|但/giu;
/** Range of a negation in content words. */
const REACH_TERMS = 6;
/** Polarity is read in the start of a text only: longer texts are narratives with mixed polarity. */
const MAX_CHARACTERS = 600;

/** Returns the polarity of each word. Ignores case, endings and stop words. */
export function polarities(text: string): ReadonlyMap<string, Polarity> {
  const signs = new Map<string, Polarity>();
  const note = (terms: readonly string[], sign: 1 | -1) => {
    for (const term of terms) {
      const before = signs.get(term);
      signs.set(term, before === undefined || before === sign ? sign : 0);
    }
  };
  for (const clause of text.slice(0, MAX_CHARACTERS).split(CLAUSE_END)) {
    const [denial] = clause.matchAll(NEGATION);
    if (denial === undefined) {
      note(termsOf(clause), 1);
      continue;
    }
    note(termsOf(clause.slice(0, denial.index)), 1);
    const after = termsOf(clause.slice(denial.index + denial[0].length));
    note(after.slice(0, REACH_TERMS), -1);
    note(after.slice(REACH_TERMS), 1);
  }
  return signs;
}

/** Counts the words for which two texts have a clear polarity: the opposite, or the same. */
export function agreement(
  left: ReadonlyMap<string, Polarity>,
  right: ReadonlyMap<string, Polarity>,
): { readonly agreeing: number; readonly opposing: number } {
  let agreeing = 0;
  let opposing = 0;
  for (const [term, sign] of left) {
    const other = right.get(term);
    if (other === undefined || sign === 0 || other === 0) continue;
    if (other === sign) agreeing += 1;
    else opposing += 1;
  }
  return { agreeing, opposing };
}

const SET_VALUE =
  /(?<key>[\p{L}_][\p{L}\p{N}_.-]{1,60})["'`]?\s*(?:=|:|\bis set to\b|\bis\b|\bto\b|\bat\b|\bof\b|\bdefaults to\b|\bversion\b|设为|是)?\s*["'`]?(?<value>v?\d+(?:\.\d+)*|true|false|on|off)\b/giu;
const COUNTED = /(?<![\w.])(?<value>\d+(?:\.\d+)*)\s+(?<key>\p{L}[\p{L}_-]{2,40})/gu;

/** Returns the numbers and switches in a text by their word ("port" → 5432, "retry" → 3). */
export function statedValues(text: string): ReadonlyMap<string, ReadonlySet<string>> {
  const values = new Map<string, Set<string>>();
  for (const pattern of [SET_VALUE, COUNTED]) {
    for (const { groups } of text.slice(0, MAX_CHARACTERS).matchAll(pattern)) {
      const [key] = termsOf(groups?.['key'] ?? '').slice(-1);
      const value = groups?.['value']?.toLowerCase().replace(/^v(?=\d)/u, '');
      if (key === undefined || value === undefined) continue;
      const known = values.get(key) ?? new Set();
      values.set(key, known.add(value));
    }
  }
  return values;
}

/** Returns true if two texts give the same thing different values, and nothing the same value. */
export function changedValue(
  left: ReadonlyMap<string, ReadonlySet<string>>,
  right: ReadonlyMap<string, ReadonlySet<string>>,
): boolean {
  let changed = false;
  for (const [key, values] of left) {
    const others = right.get(key);
    if (others === undefined) continue;
    if ([...values].some((value) => others.has(value))) return false;
    changed = true;
  }
  return changed;
}
