import { verbatimHead } from '../../../domain/text/clean.ts';
import { termsOf } from '../../../domain/text/terms.ts';
import type { Call } from '../calls.ts';
import type { Candidate } from '../learnings/candidate.ts';
import { citeLine, citeRow, distinct } from './notes.ts';

const MAX_LINE_CHARACTERS = 160;

/** Returns completely written files, each once: as the tool describes the result, if it does. */
export function fileNotes(calls: readonly Call[]): readonly Candidate[] {
  const seen = new Set<string>();
  return calls.flatMap((call) => {
    const [path] = call.row.filesModified;
    if (path === undefined || call.row.tool !== 'Write' || call.outcome === 'failed' || seen.has(path)) return [];
    seen.add(path);
    const line = outputLineOf(call, path);
    return [
      {
        place: 'point' as const,
        kind: null,
        title: '',
        text: line === '' ? `Wrote ${path}` : line,
        evidence: distinct([...citeLine(call.row, line), ...citeRow(call.row)], 1),
        terms: termsOf(path),
        value: 1.6,
        rowIndex: call.rowIndex,
        order: 0,
        isFromUser: false,
      },
    ];
  });
}

/** Returns the line of the output that names the file and its change. */
function outputLineOf({ row, output }: Call, path: string): string {
  const line = output
    .split('\n')
    .map((candidate) => candidate.trim())
    .find((candidate) => candidate.includes(path) && /\b(?:wrote|written|created|updated|saved)\b/iu.test(candidate));
  return line === undefined || line.length > MAX_LINE_CHARACTERS || !row.content.includes(line)
    ? ''
    : verbatimHead(line, MAX_LINE_CHARACTERS);
}
