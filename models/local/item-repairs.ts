import type { Evidence } from '../../domain/ports/model.ts';
import { plainText } from '../../domain/text/clean.ts';
import { type Call, readableError } from './calls.ts';
import { isCheck } from './commands.ts';
import { hasCue } from './cues.ts';
import { explanationOf } from './explanations.ts';
import type { PlacedItem } from './items.ts';
import { cite, citeLine, citeRow, clamped, codeOf, distinct, listed, noteTitle, paragraph, tagsOf } from './notes.ts';
import { changedFiles, isTestFirst, type Repair, repairsOf } from './repairs.ts';
import type { Sentence } from './segments.ts';

/** One bugfix for each failure that an edit mended, shown by the failing and by the passing run. */
export function bugfixItems(sentences: readonly Sentence[], calls: readonly Call[]): readonly PlacedItem[] {
  return repairsOf(calls).flatMap((repair) =>
    repair.edits.length > 0 && !isTestFirst(repair, calls) ? [bugfixItem(repair, sentences)] : [],
  );
}

function bugfixItem(repair: Repair, sentences: readonly Sentence[]): PlacedItem {
  const last = repair.failures.at(-1) ?? repair.failures[0];
  const { cause, fix } = explanationOf(repair, sentences);
  const files = changedFiles(repair.edits);
  const error = readableError(last.errorLine);
  const telling = [fix, cause].find((sentence) => sentence !== undefined && !hasCue(sentence.text, 'pointing'));
  const title = telling?.text ?? mendedTitle('Fixed', error, last, files);
  return {
    rowIndex: repair.success.rowIndex,
    kind: 'bugfix',
    title: noteTitle(title),
    content: paragraph([
      failureStory(repair),
      ...(cause ? [cause.text] : []),
      ...(fix ? [fix.text] : []),
      changeStory(repair),
    ]),
    tags: tagsOf([error, ...files], [repair.success.command?.key.split(' ')[0] ?? '']),
    importance: clamped(
      0.75 +
        (cause ? 0.1 : 0) +
        (repair.wrongEdits.length > 0 ? 0.05 : 0) +
        (isCheck(last.command?.family ?? 'other') ? 0 : -0.15),
      0,
      0.9,
    ),
    evidence: distinct([
      ...failureEvidence(repair),
      ...(cause ? [cite(cause)] : []),
      ...(fix ? [cite(fix)] : []),
      ...repair.edits.slice(0, 2).flatMap(({ row }) => citeRow(row)),
      ...passEvidence(repair.success),
    ]),
  };
}

/** A title made of what is known where nobody said what the fix was: "Fixed "…" in a.ts". */
export function mendedTitle(verb: string, error: string, failure: Call, files: readonly string[]): string {
  const what = error === '' ? `failing ${failure.command?.line ?? failure.row.title}` : `"${error}"`;
  return `${verb} ${what}${files.length > 0 ? ` in ${listed(files, 2)}` : ''}`;
}

/** "`npm test` failed in "…" with "…"; after a change to a.ts it failed in "…"". */
export function failureStory({ failures, wrongEdits }: Repair): string {
  const [first] = failures;
  const last = failures.at(-1) ?? first;
  const story = `${codeOf(first.command?.line ?? first.row.title)} failed${whyOf(first)}`;
  if (wrongEdits.length === 0) return story;
  const files = changedFiles(wrongEdits);
  const why = whyOf(last);
  return `${story}; after a first change${files.length > 0 ? ` to ${listed(files, 2)}` : ''} it failed${why === whyOf(first) ? ' again' : why}`;
}

/** " in "name of the test" with "error"", as far as they are known. */
export function whyOf({ failedTest, errorLine }: Call): string {
  const error = readableError(errorLine);
  const inTest = failedTest === '' ? '' : ` in "${plainText(failedTest)}"`;
  const saysMore =
    error !== '' && !error.endsWith(':') && (failedTest === '' || !error.includes(plainText(failedTest)));
  return saysMore ? `${inTest} with "${error}"` : inTest;
}

/** "After changes to a.ts, `npm test` passed (12 passed)". */
export function changeStory({ edits, success }: Repair): string {
  const files = changedFiles(edits);
  const after =
    edits.length === 0 ? 'Later' : files.length === 0 ? 'After the edit' : `After a change to ${listed(files)}`;
  return `${after} ${codeOf(success.command?.line ?? success.row.title)} passed`;
}

/** The error lines of the first and of the last failing run, else the commands. */
export function failureEvidence({ failures }: Repair): readonly Evidence[] {
  const ends = new Set([failures[0], failures.at(-1) ?? failures[0]]);
  return [...ends].flatMap(({ row, errorLine }) => {
    const line = citeLine(row, errorLine);
    return line.length > 0 ? line : citeRow(row);
  });
}

/** The line that shows the success, else the command that succeeded. */
export function passEvidence(success: Call): readonly Evidence[] {
  const line = citeLine(success.row, success.passLine);
  return line.length > 0 ? line : citeRow(success.row);
}
