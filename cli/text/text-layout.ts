/** Columns that a terminal is sure to have. */
export const COLUMNS = 100;

/** Breaks a text at spaces into lines of at most `width` columns, each after `indent`; words longer than a line are cut. */
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
      const room = COLUMNS - line.length - (empty ? 0 : 1);
      line += `${empty ? '' : ' '}${rest.slice(0, room)}`;
      rest = rest.slice(room);
      flush();
    }
    if (rest === '') continue;
    line += `${empty ? '' : ' '}${rest}`;
    empty = false;
  }
  if (!empty) flush();
  return lines;
}

/** Cuts a text to at most `chars` characters on one line. */
export function short(text: string, chars: number): string {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length <= chars ? line : `${line.slice(0, chars - 1).toWellFormed()}…`;
}

export function heading(text: string): string {
  return `\n── ${text} ${'─'.repeat(Math.max(0, COLUMNS - text.length - 4))}`;
}
