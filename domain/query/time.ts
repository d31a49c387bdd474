import type { Span } from './calendar.ts';
import { CHINESE_TIMES } from './time-chinese.ts';
import { ENGLISH_TIMES } from './time-english.ts';
import type { FoundSpan } from './time-english.ts';

/** A time range, possibly open on one side, and the words that express it. */
export interface TimeRange {
  readonly since: Date | null;
  /** Exclusive. */
  readonly until: Date | null;
  readonly words: readonly string[];
}

type Bound = 'within' | 'before' | 'after' | 'since' | 'until';

/** Up to three words may follow: "before the release of 2 May". */
const BOUND_BEFORE =
  /(?<![\w-])(?<bound>before|after|since|until|till|by|from|between|prior to)(?: (?:the )?(?:[\p{L}\p{N}_-]+ ){0,3}?(?:of|on|from|in|at))? ?(?:the )?$/iu;
const RANGE_END = /^ ?(?:and|to|until|till|-|–|到|至) ?$/iu;
const BOUND_AFTER_CHINESE = /^(?:之前|以前|前|之后|以后|后|以来|起)/u;
const MAX_EXPRESSIONS = 8;
/** Rejects "5000 years ago": no memory is that old, and the stores cannot write the date. */
const EARLIEST = new Date('0001-01-01T00:00:00Z');

const BOUNDS: Readonly<Record<string, Bound>> = {
  before: 'before',
  'prior to': 'before',
  by: 'until',
  until: 'until',
  till: 'until',
  after: 'after',
  since: 'since',
  from: 'since',
  between: 'since',
};

/** Returns the expressions of time in text order, without nested ones; of two with the same start the longer. */
function spansIn(text: string, now: Date): FoundSpan[] {
  const all: FoundSpan[] = [];
  for (const { pattern, read } of [...ENGLISH_TIMES, ...CHINESE_TIMES])
    for (const match of text.matchAll(pattern)) {
      const span = read(match.groups ?? {}, now);
      if (span !== null && span.from >= EARLIEST)
        all.push({ span, start: match.index, end: match.index + match[0].length });
    }
  const chosen: FoundSpan[] = [];
  for (const found of all.sort((a, b) => a.start - b.start || b.end - a.end))
    if (found.start >= (chosen.at(-1)?.end ?? 0)) chosen.push(found);
  return chosen.slice(0, MAX_EXPRESSIONS);
}

/** Returns the bound that the words around an expression make of it, and their extent. */
function boundOf(text: string, found: FoundSpan): { bound: Bound; start: number; end: number } {
  const ahead = BOUND_BEFORE.exec(text.slice(0, found.start));
  const word = ahead?.groups?.['bound']?.toLowerCase();
  if (ahead !== null && word !== undefined)
    return { bound: BOUNDS[word] ?? 'within', start: ahead.index, end: found.end };
  const behind = BOUND_AFTER_CHINESE.exec(text.slice(found.end))?.[0];
  if (behind === undefined) return { bound: 'within', start: found.start, end: found.end };
  const bound = behind.endsWith('前') ? 'before' : /[来起]$/u.test(behind) ? 'since' : 'after';
  return { bound, start: found.start, end: found.end + behind.length };
}

/** Converts one expression to bounds. */
export function boundsOf(bound: Bound, span: Span): { since: Date | null; until: Date | null } {
  switch (bound) {
    case 'within':
      return { since: span.from, until: span.to };
    case 'before':
      return { since: null, until: span.from };
    case 'until':
      return { since: null, until: span.to };
    case 'since':
      return { since: span.from, until: null };
    case 'after':
      return { since: span.to, until: null };
  }
}

/**
 * Returns the time range of a text in English or Chinese, relative to `now`, in UTC; null for none or an impossible one (after the newest
 * and before the oldest). Days, weeks (from Monday), months and years are calendar units: "last week" is the week before this one.
 */
export function timeRangeOf(text: string, now: Date): TimeRange | null {
  let since: Date | null = null;
  let until: Date | null = null;
  let lastEnd = -1;
  let opened = false;
  const words: string[] = [];
  for (const found of spansIn(text, now)) {
    const closes = lastEnd >= 0 && RANGE_END.test(text.slice(lastEnd, found.start));
    const { bound, start, end } = closes ? { ...found, bound: 'until' as const } : boundOf(text, found);
    // "from May to June", "5月到6月": the first expression is only the start.
    if (closes && !opened) until = null;
    const bounds = boundsOf(bound, found.span);
    if (bounds.since !== null && (since === null || bounds.since > since)) since = bounds.since;
    if (bounds.until !== null && (until === null || bounds.until < until)) until = bounds.until;
    opened = bound === 'since' || bound === 'after';
    words.push(text.slice(start, end).trim());
    lastEnd = end;
  }
  if (words.length === 0 || (since !== null && until !== null && since >= until)) return null;
  return { since, until, words };
}
