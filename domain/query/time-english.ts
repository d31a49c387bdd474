import { dateSpan, lastWeekday, moved, unitAround } from './calendar.ts';
import type { CalendarUnit, Span } from './calendar.ts';

/** An expression of time, its meaning, and its position in the text. */
export interface FoundSpan {
  readonly span: Span;
  readonly start: number;
  readonly end: number;
}

export interface TimePattern {
  readonly pattern: RegExp;
  /** Null if the words are not a time. */
  readonly read: (groups: Readonly<Record<string, string | undefined>>, now: Date) => Span | null;
}

const MONTHS = 'january february march april may june july august september october november december'.split(' ');
const WEEKDAYS = 'monday tuesday wednesday thursday friday saturday sunday'.split(' ');
const NUMBERS = 'zero one two three four five six seven eight nine ten eleven twelve'.split(' ');
const MONTH =
  '(?<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)';
const DAY = String.raw`(?<day>\d{1,2})(?:st|nd|rd|th)?`;
const YEAR = String.raw`(?<year>(?:19|20)\d\d)`;
const MAY = '(?<month>may)';
const BEFORE_MAY = String.raw`(?<=(?:on|of|in|by|since|before|after|until|till|from|to|between|between \d{1,2}(?:st|nd|rd|th)? [a-z]{3,9} and) (?:the )?)`;
const COUNT = `(?<count>\\d{1,4}|an?|a couple(?: of)?|a few|${NUMBERS.slice(1).join('|')})`;
const UNIT = '(?<unit>hour|day|week|month|year)s?';

const english = (body: string) => new RegExp(String.raw`(?<![\w-])(?:${body})(?![\w-])`, 'giu');

function monthOf(name = ''): number {
  return MONTHS.findIndex((month) => month.startsWith(name.toLowerCase().slice(0, 3))) + 1;
}

function countOf(text = ''): number {
  const word = text.toLowerCase();
  if (/^\d/u.test(word)) return Number(word);
  if (word.startsWith('a couple')) return 2;
  if (word === 'a few') return 3;
  return word === 'a' || word === 'an' ? 1 : NUMBERS.indexOf(word);
}

function unitOf(text = ''): CalendarUnit {
  const units: readonly CalendarUnit[] = ['hour', 'day', 'week', 'month', 'year'];
  return units.find((unit) => unit === text.toLowerCase()) ?? 'day';
}

const numberOf = (text: string | undefined): number | null => (text === undefined ? null : Number(text));

const readDate: TimePattern['read'] = ({ year, month, day }, now) =>
  dateSpan(numberOf(year), month === undefined ? null : monthOf(month), numberOf(day), now);
const readNumbers: TimePattern['read'] = ({ year, month, day }, now) =>
  dateSpan(numberOf(year), numberOf(month), numberOf(day), now);
const daysBack =
  (days: number): TimePattern['read'] =>
  (_, now) =>
    unitAround(moved(now, 'day', -days), 'day');

/** English expressions of time, longer forms before their parts. */
export const ENGLISH_TIMES: readonly TimePattern[] = [
  { pattern: english('(?:the )?day before yesterday'), read: daysBack(2) },
  { pattern: english('yesterday'), read: daysBack(1) },
  { pattern: english('today|tonight|this (?:morning|afternoon|evening)'), read: daysBack(0) },
  {
    pattern: english(`(?:the )?(?:last|past|previous) ${COUNT} ${UNIT}`),
    read: ({ count, unit }, now) => ({
      from: moved(now, unitOf(unit), -countOf(count)),
      to: new Date(now.getTime() + 1),
    }),
  },
  {
    pattern: english('(?:the )?past (?<unit>hour|day|week|month|year)'),
    read: ({ unit }, now) => ({ from: moved(now, unitOf(unit), -1), to: new Date(now.getTime() + 1) }),
  },
  {
    pattern: english('(?:the )?(?<which>last|previous|this) (?<unit>week|month|year)'),
    read: ({ which, unit }, now) =>
      unitAround(moved(now, unitOf(unit), which?.toLowerCase() === 'this' ? 0 : -1), unitOf(unit)),
  },
  {
    pattern: english(`${COUNT} ${UNIT} ago`),
    read: ({ count, unit }, now) => unitAround(moved(now, unitOf(unit), -countOf(count)), unitOf(unit)),
  },
  {
    pattern: english(`(?<=(?:on|last|past|since|before|after|until) )(?<weekday>${WEEKDAYS.join('|')})`),
    read: ({ weekday = '' }, now) => lastWeekday(WEEKDAYS.indexOf(weekday.toLowerCase()) + 1, now),
  },
  { pattern: english(String.raw`(?<year>\d{4})[-/](?<month>\d{1,2})[-/](?<day>\d{1,2})`), read: readNumbers },
  { pattern: english(`${YEAR}-(?<month>0[1-9]|1[0-2])`), read: readNumbers },
  // "phase 2 may fail": after a bare number May is a verb, unless a year or a preposition shows that it is a month.
  { pattern: english(`(?:the )?${DAY}(?: of)? (?!may\\b)${MONTH},?(?: ${YEAR})?`), read: readDate },
  { pattern: english(`(?:the )?${DAY}(?: of)? ${MAY},? ${YEAR}`), read: readDate },
  { pattern: english(String.raw`(?:the )?(?<day>\d{1,2})(?:(?:st|nd|rd|th)(?: of)?| of) ${MAY}`), read: readDate },
  { pattern: english(`${BEFORE_MAY}${DAY} ${MAY}`), read: readDate },
  { pattern: english(`${MONTH} (?:the )?${DAY}(?:,? ${YEAR})?`), read: readDate },
  { pattern: english(`${MONTH},?(?: of)? ${YEAR}`), read: readDate },
  // A month alone could be a name or a verb: only after a preposition of time.
  { pattern: english(`(?<=(?:in|during|since|before|after|until|last|early|late|mid) )${MONTH}`), read: readDate },
  { pattern: english(`(?<=(?:in|during|since|before|after|until) )${YEAR}`), read: readDate },
];
