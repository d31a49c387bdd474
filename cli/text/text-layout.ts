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

export function heading(text: string): string {
  return `\n── ${text} ${'─'.repeat(Math.max(0, COLUMNS - text.length - 4))}`;
}
