/** Returns the age of a time in the largest unit that fits: `12s`, `5m`, `3h`, `9d`. */
export function ago(moment: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(moment)) / 1_000));
  if (seconds < 90) return `${seconds}s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)}m`;
  if (seconds < 48 * 3_600) return `${Math.round(seconds / 3_600)}h`;
  return `${Math.round(seconds / 86_400)}d`;
}

/** A text of at most so many characters, on one line. */
export function short(text: string, chars: number): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= chars ? line : `${line.slice(0, chars - 1)}…`;
}

/** Returns the first or last moment of a day in UTC; other values unchanged, for the server to validate. */
export function momentOf(given: string | undefined, side: 'start' | 'end'): string | undefined {
  if (given === undefined || !/^\d{4}-\d\d-\d\d$/.test(given)) return given;
  return `${given}T${side === 'start' ? '00:00:00.000' : '23:59:59.999'}Z`;
}
