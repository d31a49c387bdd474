const CONTEXT_LINES = 3;
/** Beyond this many comparisons the changed part is shown as removed and added completely. */
const MAX_COMPARISONS = 4_000_000;

type Line = { readonly sign: ' ' | '-' | '+'; readonly text: string };

/** Returns a unified diff with three lines of context; '' for equal texts. */
export function unifiedDiff(name: string, before: string, after: string): string {
  if (before === after) return '';
  const lines = compare(linesOf(before), linesOf(after));
  const shown = lines.map((_, index) =>
    lines.slice(Math.max(0, index - CONTEXT_LINES), index + CONTEXT_LINES + 1).some(({ sign }) => sign !== ' '),
  );
  let out = `--- ${name}\n+++ ${name}\n`;
  let [oldLine, newLine] = [1, 1];
  for (let at = 0; at < lines.length;) {
    let end = at;
    while (end < lines.length && shown[end] === shown[at]) end += 1;
    const part = lines.slice(at, end);
    const removed = part.filter(({ sign }) => sign !== '+').length;
    const added = part.filter(({ sign }) => sign !== '-').length;
    if (shown[at] === true) {
      out += `@@ -${removed === 0 ? oldLine - 1 : oldLine},${removed} +${added === 0 ? newLine - 1 : newLine},${added} @@\n`;
      out += part.map(({ sign, text }) => `${sign}${text}\n`).join('');
    }
    oldLine += removed;
    newLine += added;
    at = end;
  }
  return out;
}

function linesOf(text: string): string[] {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines;
}

function compare(before: readonly string[], after: readonly string[]): Line[] {
  let head = 0;
  while (head < before.length && head < after.length && before[head] === after[head]) head += 1;
  let tail = 0;
  const most = Math.min(before.length, after.length) - head;
  while (tail < most && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail += 1;
  const same = (text: string): Line => ({ sign: ' ', text });
  return [
    ...before.slice(0, head).map(same),
    ...middle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ];
}

/** Returns the diff by the longest common subsequence. */
function middle(before: readonly string[], after: readonly string[]): Line[] {
  const out = (text: string): Line => ({ sign: '-', text });
  const into = (text: string): Line => ({ sign: '+', text });
  if (before.length * after.length > MAX_COMPARISONS) return [...before.map(out), ...after.map(into)];
  const width = after.length + 1;
  const lengths = new Uint32Array((before.length + 1) * width);
  const at = (row: number, column: number): number => lengths[row * width + column] ?? 0;
  for (let row = before.length - 1; row >= 0; row -= 1)
    for (let column = after.length - 1; column >= 0; column -= 1)
      lengths[row * width + column] =
        before[row] === after[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
  const lines: Line[] = [];
  let [row, column] = [0, 0];
  while (row < before.length || column < after.length) {
    const [old = '', fresh = ''] = [before[row], after[column]];
    if (row < before.length && column < after.length && old === fresh) {
      lines.push({ sign: ' ', text: old });
      row += 1;
      column += 1;
    } else if (column === after.length || (row < before.length && at(row + 1, column) >= at(row, column + 1))) {
      lines.push(out(old));
      row += 1;
    } else {
      lines.push(into(fresh));
      column += 1;
    }
  }
  return lines;
}
