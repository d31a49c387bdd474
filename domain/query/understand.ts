import { namesIn } from '../learning/names.ts';
import { termsOf } from '../text/terms.ts';
import { fieldsOf } from './fields.ts';
import type { FieldFilters } from './fields.ts';
import { languageOf } from './language.ts';
import type { QueryLanguage } from './language.ts';
import { phrasesOf } from './phrases.ts';
import { timeRangeOf } from './time.ts';
import type { TimeRange } from './time.ts';

/** A query as search uses it, parsed by rules. */
export interface Understood {
  /** Text for keyword and vector search: the query without fields and quotation marks; '' if nothing remains. */
  readonly text: string;
  /** Lower case; a memory must contain each. */
  readonly phrases: readonly string[];
  readonly fields: FieldFilters;
  /** Time range of the query: memories of that time come first. */
  readonly time: TimeRange | null;
  /** The query is little more than a time: memories of that time are the answer. */
  readonly timeAlone: boolean;
  /** The query requests the newest memories. */
  readonly newest: boolean;
  /** The query requests little else: the newest memory is the answer. */
  readonly newestAlone: boolean;
  /** Files, errors, settings and identifiers in the query, case-folded. */
  readonly names: readonly string[];
  readonly language: QueryLanguage;
}

/** Excludes "currently" and "recently", which mostly request what is valid, not the newest statement. */
const NEWEST =
  /(?<![\w-])(?:latest|newest|most recent(?:ly)?|last time|just now|the last (?:thing|change|commit|session|one)|what(?:'s| is| was) new)(?![\w-])|最新|刚才|刚刚|上次/giu;
/** Words that only request what happened at a time: "what did we work on yesterday". */
const ASKING =
  /\b(?:what|which|when|happen(?:s|ed|ing)?|work(?:s|ed|ing)?|chang(?:e|es|ed)|did|thing|things|stuff|everything|anything|session|sessions|show|list|find|tell|we|me)\b|做了|什么|哪些|干了|发生|我们|的|了/giu;

/** Parses a query: fields, phrases, times, names. Uses no model and no database; malformed input remains words. */
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
