/** Output streams of a command. Tests pass their own. */
export interface Output {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  /** Columns of the terminal; null when stdout is a file or a pipe. */
  readonly columns: number | null;
  /** True for a terminal with colours, unless NO_COLOR forbids them. */
  readonly hasColours: boolean;
}

/** The output of this process. */
export function processOutput(): Output {
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    columns: process.stdout.isTTY ? process.stdout.columns || 80 : null,
    hasColours: process.stdout.isTTY && process.stdout.hasColors(),
  };
}

/** Lets this process continue if its output cannot be written: its log is on a full disk, or the reader of a pipe has ended. */
export function outliveOutput(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}

/** Returns rows as lines; each column is as wide as its widest cell, separated by two spaces. */
export function table(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, cell.length);
  }
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, index) => cell.padEnd(widths[index] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
