import { verbatimHead } from '../../../domain/text/clean.ts';
import { termsOf } from '../../../domain/text/terms.ts';
import type { Call } from '../calls.ts';
import type { Candidate } from '../learnings/candidate.ts';
import { citeLine, citeRow, distinct } from './notes.ts';

const MAX_LINE_CHARACTERS = 160;

/** Files that were written as a whole, each once: what came to be, in the words of the tool where it has some. */
export function fileNotes(calls: readonly Call[]): readonly Candidate[] {
  const seen = new Set<string>();
  return calls.flatMap((call) => {
    const [path] = call.row.filesModified;
    if (path === undefined || call.row.tool !== 'Write' || call.outcome === 'failed' || seen.has(path)) return [];
    seen.add(path);
    const said = saidOf(call, path);
    return [
      {
        place: 'point' as const,
        kind: null,
        title: '',
        text: said === '' ? `Wrote ${path}` : said,
        evidence: distinct([...citeLine(call.row, said), ...citeRow(call.row)], 1),
        terms: termsOf(path),
        value: 1.6,
        rowIndex: call.rowIndex,
        order: 0,
        asked: false,
      },
    ];
  });
}

/** The line of the answer that names the file and says what became of it. */
function saidOf({ row, output }: Call, path: string): string {
  const line = output
    .split('\n')
    .map((candidate) => candidate.trim())
    .find((candidate) => candidate.includes(path) && /\b(?:wrote|written|created|updated|saved)\b/iu.test(candidate));
  return line === undefined || line.length > MAX_LINE_CHARACTERS || !row.content.includes(line)
    ? ''
    : verbatimHead(line, MAX_LINE_CHARACTERS);
}
