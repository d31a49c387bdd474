import { namesIn } from '../learning/names.ts';
import { termsOf } from '../text/terms.ts';
import { fieldsOf } from './fields.ts';
import type { FieldFilters } from './fields.ts';
import { languageOf } from './language.ts';
import type { QueryLanguage } from './language.ts';
import { phrasesOf } from './phrases.ts';
import { timeRangeOf } from './time.ts';
import type { TimeRange } from './time.ts';

/** A question as search takes it, by rules alone. */
export interface Understood {
  /** What is compared by words and by meaning: the question without fields and quotation marks; '' where it held nothing else. */
  readonly text: string;
  /** Lower case; a memory must hold each. */
  readonly phrases: readonly string[];
  readonly fields: FieldFilters;
  /** What its words say of time: memories of that time come first. */
  readonly time: TimeRange | null;
  /** It asks for little else than a time: what happened then is the answer. */
  readonly timeAlone: boolean;
  /** It asks for what is newest. */
  readonly newest: boolean;
  /** It asks for little else than that: the newest of all is the answer. */
  readonly newestAlone: boolean;
  /** Files, errors, settings and identifiers that it names, case-folded. */
  readonly names: readonly string[];
  readonly language: QueryLanguage;
}

/** "Currently" and "recently" are none of them: who says so asks what holds, and rarely for what was said last. */
const NEWEST =
  /(?<![\w-])(?:latest|newest|most recent(?:ly)?|last time|just now|the last (?:thing|change|commit|session|one)|what(?:'s| is| was) new)(?![\w-])|最新|刚才|刚刚|上次/giu;
/** Words that ask about a time and mean nothing else: "what did we work on yesterday". */
const ASKING =
  /\b(?:what|which|when|happen(?:s|ed|ing)?|work(?:s|ed|ing)?|chang(?:e|es|ed)|did|thing|things|stuff|everything|anything|session|sessions|show|list|find|tell|we|me)\b|做了|什么|哪些|干了|发生|我们|的|了/giu;

/** Takes a question apart: fields, phrases, times, names. No model is called, nothing is looked up; odd input stays words. */
export function understand(query: string, now: Date): Understood {
  const quoted = phrasesOf(query);
  const fields = fieldsOf(quoted.rest, now);
  const bare = fields.rest.replaceAll(/\s+/gu, ' ').trim();
  const text = quoted.restore(bare);
  const time = timeRangeOf(bare, now);
  const beside = (time?.words ?? []).reduce((rest, words) => rest.replace(words, ' '), bare);
  const says = quoted.phrases.length > 0 || termsOf(beside.replaceAll(NEWEST, ' ').replaceAll(ASKING, ' ')).length > 0;
  const newest = bare.search(NEWEST) >= 0;
  return {
    text,
    phrases: quoted.phrases,
    fields: fields.filters,
    time,
    timeAlone: time !== null && !says,
    newest,
    newestAlone: newest && time === null && !says,
    names: [...namesIn(text)],
    language: languageOf(text),
  };
}
