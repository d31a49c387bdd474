const STEPS = [
  ['second', 1_000],
  ['minute', 60_000],
  ['hour', 3_600_000],
  ['day', 86_400_000],
  ['month', 2_629_746_000],
  ['year', 31_556_952_000],
] as const;

const formats = new Map<string, { readonly relative: Intl.RelativeTimeFormat; readonly exact: Intl.DateTimeFormat }>();

/** Returns the formats of a language, made once: that takes longer than to draw a row. */
function formatsOf(language: string) {
  const known = formats.get(language);
  if (known !== undefined) return known;
  const made = {
    relative: new Intl.RelativeTimeFormat(language, { numeric: 'auto' }),
    exact: new Intl.DateTimeFormat(language, { dateStyle: 'full', timeStyle: 'long' }),
  };
  formats.set(language, made);
  return made;
}

/** Returns a time with its weekday, its seconds and the time zone of the browser. */
export function exactTime(at: Date, language: string): string {
  return formatsOf(language).exact.format(at);
}

/** Returns the time between two moments in ms in words, such as "3 minutes ago". */
export function relativeTime(at: number, now: number, language: string): string {
  const difference = at - now;
  const format = formatsOf(language).relative;
  // A clock that is behind: what is reported has happened.
  if (Math.abs(difference) < 5_000 || (difference > 0 && difference < 60_000)) return format.format(0, 'second');
  const [unit, ms] = STEPS.findLast(([, length]) => Math.abs(difference) >= length) ?? STEPS[0];
  return format.format(Math.trunc(difference / ms), unit);
}

/** Returns a duration in ms in the largest unit that has two digits, such as "95 s" or "2.4 h". */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

/** Returns the hour and the minute of a time (RFC 3339) in the time zone of the browser, such as "09:05". */
export function timeOfDay(at: string): string {
  const date = new Date(at);
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}`;
}
