import { namesIn } from '../learning/compare.ts';
import { fieldsOf } from './fields.ts';
import type { FieldFilters } from './fields.ts';
import { timeRangeOf } from './time.ts';
import type { TimeRange } from './time.ts';
import { termsOf } from '../text/terms.ts';

/** Excludes the quoted value of a field. */
const QUOTED = /(?<![:：])"([^"\n]{1,200})"|“([^”\n]{1,200})”|「([^」\n]{1,200})」/gu;
const MAX_PHRASES = 5;

/** Placeholder of a phrase, so that its content is not parsed as a field or a time. */
const PLACE = '\uFFFC';

/**
 * Removes phrases in double quotes, which a memory must contain verbatim, from the query; `restore` inserts their words into the processed
 * query. An unclosed quote is ignored.
 */
export function phrasesOf(query: string): {
  readonly rest: string;
  readonly phrases: readonly string[];
  readonly restore: (text: string) => string;
} {
  const inners: string[] = [];
  const rest = query.replaceAll(PLACE, ' ').replaceAll(QUOTED, (match: string, ...parts: unknown[]) => {
    const inner = parts.slice(0, 3).find((part): part is string => typeof part === 'string') ?? '';
    if (!/[\p{L}\p{N}]/u.test(inner) || inners.length >= MAX_PHRASES) return match;
    inners.push(inner);
    return ` ${PLACE} `;
  });
  return {
    rest,
    phrases: [...new Set(inners.map(comparable))],
    restore: (text) => {
      let next = 0;
      return text.replaceAll(PLACE, () => {
        next += 1;
        return inners[next - 1] ?? '';
      });
    },
  };
}

/** Normalises a text for phrase comparison: lower case, single blanks. PostgreSQL does the same. */
function comparable(text: string): string {
  return text.toLowerCase().replaceAll(/\s+/gu, ' ').trim();
}

export type QueryLanguage = 'en' | 'zh' | 'ja' | 'ko' | 'other';

/** Detects the language of a query by its script, for word splitting and times. Latin script is `en`. */
export function languageOf(text: string): QueryLanguage {
  if (/[\p{Script=Hiragana}\p{Script=Katakana}]/u.test(text)) return 'ja';
  if (/\p{Script=Hangul}/u.test(text)) return 'ko';
  if (/\p{Script=Han}/u.test(text)) return 'zh';
  return /\p{Script=Latin}/u.test(text) || !/\p{L}/u.test(text) ? 'en' : 'other';
}

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
  /** Its terms (`termsOf`) beside fields and times, without words that only request something. */
  readonly terms: readonly string[];
  /** Files, errors, settings and identifiers in the query, case-folded. */
  readonly names: readonly string[];
  readonly language: QueryLanguage;
}

/** Excludes "currently" and "recently", which mostly request what is valid, not the newest statement. */
const NEWEST =
  /(?<![\w-])(?:latest|newest|most recent(?:ly)?|last time|just now|the last (?:thing|change|commit|session|one)|what(?:'s| is| was) new)(?![\w-])|最新|刚才|刚刚|上次/giu;
/** Chinese question words without content: their neighbours would not be adjacent in an answer. */
export const CHINESE_QUESTION_WORDS =
  /为什么|怎么样|怎么|如何|什么|哪些|哪个|哪里|是否|多少|我们|你们|他们|[吗呢吧的了呀啊]/gu;
/** Words that only request what happened at a time: "what did we work on yesterday". */
const QUESTION_WORDS =
  /\b(?:what|which|when|happen(?:s|ed|ing)?|work(?:s|ed|ing)?|chang(?:e|es|ed)|did|thing|things|stuff|everything|anything|session|sessions|show|list|find|tell|we|me)\b|做了|干了|发生|是/giu;

/** Returns the terms of a query (`termsOf`) without words that only request something. */
export function contentTermsOf(query: string): readonly string[] {
  // 做了 before 了.
  return termsOf(
    [NEWEST, QUESTION_WORDS, CHINESE_QUESTION_WORDS].reduce((rest, words) => rest.replaceAll(words, ' '), query),
  );
}

/** Parses a query: fields, phrases, times, names. Uses no model and no database; malformed input remains words. */
export function understand(query: string, now: Date): Understood {
  const quoted = phrasesOf(query);
  const fields = fieldsOf(quoted.rest, now);
  const bare = fields.rest.replaceAll(/\s+/gu, ' ').trim();
  const text = quoted.restore(bare);
  const time = timeRangeOf(bare, now);
  const beside = (time?.words ?? []).reduce((rest, words) => rest.replace(words, ' '), bare);
  const terms = [...contentTermsOf(beside), ...quoted.phrases.flatMap(termsOf)];
  const hasContent = quoted.phrases.length > 0 || terms.length > 0;
  const newest = bare.search(NEWEST) >= 0;
  return {
    text,
    phrases: quoted.phrases,
    fields: fields.filters,
    time,
    timeAlone: time !== null && !hasContent,
    newest,
    newestAlone: newest && time === null && !hasContent,
    terms,
    names: [...namesIn(text)],
    language: languageOf(text),
  };
}
