/** Assumed columns of a terminal. */
export const COLUMNS = 100;

/** Wraps text at spaces into indented lines of at most COLUMNS; longer words are split. */
export function wrap(text: string, indent = '', firstIndent = indent): string[] {
  const lines: string[] = [];
  let line = firstIndent;
  let empty = true;
  const flush = () => {
    lines.push(line.trimEnd());
    line = indent;
    empty = true;
  };
  for (const word of text.replaceAll(/\s+/g, ' ').trim().split(' ')) {
    let rest = word;
    if (!empty && line.length + 1 + rest.length > COLUMNS) flush();
    while (rest.length > COLUMNS - indent.length) {
      const free = COLUMNS - line.length - (empty ? 0 : 1);
      line += `${empty ? '' : ' '}${rest.slice(0, free)}`;
      rest = rest.slice(free);
      flush();
    }
    if (rest === '') continue;
    line += `${empty ? '' : ' '}${rest}`;
    empty = false;
  }
  if (!empty) flush();
  return lines;
}

/** Returns text as one line of at most `chars` characters. */
export function short(text: string, chars: number): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= chars ? line : `${line.slice(0, chars - 1).toWellFormed()}…`;
}

/** Returns a number with separators between thousands. */
export function grouped(value: number): string {
  return value.toLocaleString('en-US');
}

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB'] as const;

/** Returns a size with three digits in the largest decimal unit. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : Number(value.toPrecision(3))} ${UNITS[unit] ?? ''}`;
}

/** Returns a number with what it counts, of which the first plural becomes singular for 1: `1 quote of learnings`. */
export function counted(count: number, things: string): string {
  return `${count} ${count === 1 ? things.replace(/(?<=\w)(?:(ie)s|s)\b/, (_end, ie?: string) => (ie === undefined ? '' : 'y')) : things}`;
}

/** Returns a time to the minute: `2026-01-02 03:04`. */
export function minuteOf(moment: string): string {
  return moment.slice(0, 16).replace('T', ' ');
}

export function heading(text: string): string {
  return `\n── ${text} ${'─'.repeat(Math.max(0, COLUMNS - text.length - 4))}`;
}

/** Returns the age of a time in the largest unit that fits: `12s`, `5m`, `3h`, `9d`. */
export function ago(moment: string, now: number): string {
  const seconds = Math.max(0, Math.round((now - Date.parse(moment)) / 1_000));
  if (seconds < 90) return `${seconds}s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)}m`;
  if (seconds < 48 * 3_600) return `${Math.round(seconds / 3_600)}h`;
  return `${Math.round(seconds / 86_400)}d`;
}

/** Returns the first or last moment of a day in UTC; other values unchanged, for the server to validate. */
export function momentOf(given: string | undefined, side: 'start' | 'end'): string | undefined {
  if (given === undefined || !/^\d{4}-\d\d-\d\d$/.test(given)) return given;
  return `${given}T${side === 'start' ? '00:00:00.000' : '23:59:59.999'}Z`;
}
