import type { ItemKind } from '../../../domain/ports/model.ts';
import { stripAnsi } from '../../../domain/text/clean.ts';
import { termsOf } from '../../../domain/text/terms.ts';
import type { Call } from '../calls.ts';
import type { Candidate } from '../learnings/candidate.ts';
import { MAX_TITLE_CHARACTERS, changeKindOf, citeLine, citeRow, distinct } from './notes.ts';
import { hasCue } from '../learnings/cues.ts';
import { failureEvidence, passEvidence } from './repair-notes.ts';
import { repairsOf } from '../repairs.ts';

/** The first line of a message, in quotes or as a here-document. */
const SUBJECT =
  /\bcommit\b[^\n]*?\s-\w*m\s*(?:"\$\(cat\s*<<-?\s*['"]?\w+['"]?\s*\n\s*|(?<mark>["']))(?<subject>[^\n]+)/u;
const ADDED = /\bgit add (?<files>[^&|;\n]+)&&/u;
const PREFIX = /^(?<type>\w+)(?:\([^)]*\))?!?:\s/u;
const WORTH = 1.4;

/** Returns commits as notes, typed by their message: a commit marks completed work. */
export function commitNotes(calls: readonly Call[]): readonly Candidate[] {
  const mends = repairsOf(calls).filter(({ edits }) => edits.length > 0);
  let before = -1;
  return calls.flatMap((call) => {
    const subject = commitSubjectOf(call);
    if (subject === '') return [];
    const files = filesOf(call);
    const since = before;
    before = call.rowIndex;
    // Only failures that passed since the previous commit can be fixed by this one.
    const mend = mends.findLast(({ success: { rowIndex } }) => rowIndex > since && rowIndex < call.rowIndex);
    const kind = kindOf(subject, mend !== undefined);
    return [
      {
        place: 'item' as const,
        kind,
        title: subject,
        text: files.length > 0 ? `Files: ${files.join(', ')}` : '',
        evidence: [
          ...distinct([...citeLine(call.row, subject), ...citeRow(call.row)], 1),
          ...(kind === 'bugfix' && mend !== undefined ? [...failureEvidence(mend), ...passEvidence(mend.success)] : []),
        ],
        terms: termsOf(subject),
        value: WORTH,
        rowIndex: call.rowIndex,
        order: 0,
        isFromUser: false,
      },
    ];
  });
}

/** Returns the first line of a successful commit's message, verbatim; empty for other calls. */
export function commitSubjectOf({ input, outcome, command }: Call): string {
  if (command === null || outcome === 'failed') return '';
  const groups = SUBJECT.exec(stripAnsi(input))?.groups;
  const subject = groups?.['subject'] ?? '';
  const mark = groups?.['mark'];
  const end = mark === undefined ? -1 : subject.indexOf(mark);
  return (end === -1 ? subject : subject.slice(0, end)).slice(0, MAX_TITLE_CHARACTERS).trim();
}

function filesOf({ input }: Call): readonly string[] {
  const files = ADDED.exec(input)?.groups?.['files']?.trim().split(/\s+/u) ?? [];
  return files.some((file) => file.startsWith('-') || file === '.') ? [] : files.slice(0, 6);
}

function kindOf(subject: string, isRepaired: boolean): ItemKind {
  if (hasCue(subject, 'security')) return 'security';
  const type = PREFIX.exec(subject)?.groups?.['type']?.toLowerCase();
  if (type === 'feat' || type === 'feature') return 'feature';
  if (type === 'refactor') return 'refactor';
  if (type === 'fix' || /^fix/iu.test(subject)) return isRepaired ? 'bugfix' : 'change';
  return type === undefined ? changeKindOf(subject) : 'change';
}
