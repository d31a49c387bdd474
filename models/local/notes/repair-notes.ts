import type { Evidence } from '../../../domain/ports/model.ts';
import { termsOf } from '../../../domain/text/terms.ts';
import { type Call, readableError } from '../calls.ts';
import type { Candidate } from '../learnings/candidate.ts';
import { MAX_TITLE_CHARACTERS, cite, citeLine, citeRow, distinct, listed, shownLine } from './notes.ts';
import { hasCue } from '../learnings/cues.ts';
import { explanationOf } from '../learnings/explanations.ts';
import { changedFiles, isTestFirst, type Repair, repairsOf } from '../repairs.ts';
import type { Sentence } from '../segments.ts';

/** Worth proportional to size: a failure with its fix precedes single sentences, however long the story is. */
const WORTH = 1.4;
const WORTH_PER_CHARACTER = 0.016;

/** Returns one bugfix for each failure that an edit fixed, with the failing and the passing run as evidence. */
export function repairNotes(sentences: readonly Sentence[], calls: readonly Call[]): readonly Candidate[] {
  return repairsOf(calls).flatMap((repair) =>
    repair.edits.length > 0 && !isTestFirst(repair, calls) ? repairNote(repair, sentences) : [],
  );
}

function repairNote(repair: Repair, sentences: readonly Sentence[]): readonly Candidate[] {
  const last = repair.failures.at(-1) ?? repair.failures[0];
  const { cause, fix } = explanationOf(repair, sentences);
  const files = changedFiles(repair.edits);
  const error = readableError(last.errorLine);
  const explanation = [cause, fix].find(
    (sentence) =>
      sentence !== undefined && !hasCue(sentence.text, 'pointing') && sentence.text.length <= MAX_TITLE_CHARACTERS,
  );
  // A failure that passed is not a note by itself; its message or an explanation makes one.
  if (explanation === undefined && error === '') return [];
  const title = explanation?.text ?? repairTitle('Fixed', error, last, files).slice(0, MAX_TITLE_CHARACTERS);
  const rest = [cause, fix].filter((sentence) => sentence !== undefined && sentence !== explanation).slice(0, 1);
  const text = [
    ...rest.map((sentence) => sentence?.text ?? ''),
    storyOf(repair, explanation === undefined ? '' : error),
  ]
    .filter((part) => part !== '')
    .join(' ');
  return [
    {
      place: 'item',
      kind: 'bugfix',
      title,
      text,
      evidence: distinct([
        ...failureEvidence(repair),
        ...(cause ? [cite(cause)] : []),
        ...(fix ? [cite(fix)] : []),
        ...repair.edits.slice(0, 2).flatMap(({ row }) => citeRow(row)),
        ...passEvidence(repair.success),
      ]),
      terms: termsOf(`${title} ${text}`),
      value: WORTH + WORTH_PER_CHARACTER * (title.length + text.length) + (cause ? 0.6 : 0) + (error === '' ? 0 : 0.2),
      rowIndex: repair.success.rowIndex,
      order: 0,
      isFromUser: false,
    },
  ];
}

/** "`npm test` failed with "…", passed after a change to a.ts." */
function storyOf(repair: Repair, error: string): string {
  const files = changedFiles(repair.edits);
  const again = repair.wrongEdits.length > 0 ? ', again after a first change' : '';
  return `\`${shownLine(repair.failures[0]).slice(0, 80)}\` failed${error === '' ? '' : ` (${error.slice(0, 120)})`}${again}, and passed after a change${files.length > 0 ? ` to ${listed(files, 3)}` : ''}.`;
}

/** Returns a title without an explained fix: "Fixed "…" in a.ts". */
function repairTitle(verb: string, error: string, failure: Call, files: readonly string[]): string {
  const what = error === '' ? `failing ${failure.command?.line ?? failure.row.title}` : `"${error}"`;
  return `${verb} ${what}${files.length > 0 ? ` in ${listed(files, 2)}` : ''}`;
}

/** Returns the error lines of the first and the last failing run, else the commands. */
export function failureEvidence({ failures }: Repair): readonly Evidence[] {
  const ends = new Set([failures[0], failures.at(-1) ?? failures[0]]);
  return [...ends].flatMap(({ row, errorLine }) => {
    const line = citeLine(row, errorLine);
    return line.length > 0 ? line : citeRow(row);
  });
}

/** Returns the line that shows the success, else the successful command. */
export function passEvidence(success: Call): readonly Evidence[] {
  const line = citeLine(success.row, success.passLine);
  return line.length > 0 ? line : citeRow(success.row);
}
