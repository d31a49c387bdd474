import { shorten, stripAnsi } from '../../../domain/text/clean.ts';
import { overlap } from '../../../domain/text/terms.ts';
import { type Call, readableError } from '../calls.ts';
import { isCheck } from '../commands.ts';
import { confidenceOf } from './candidate.ts';
import { hasCue } from './cues.ts';
import { explanationOf } from './explanations.ts';
import { cite, citeLine, citeRow, codeOf, distinct, headingOf, listed, paragraph, tagsOf } from '../notes/notes.ts';
import { failureEvidence, passEvidence } from '../notes/repair-notes.ts';
import type { ValuedLearning } from './learnings.ts';
import { changedFiles, isTestFirst, type Repair, repairsOf } from '../repairs.ts';
import type { Sentence } from '../segments.ts';

const MAX_LINE_CHARACTERS = 200;
const MAX_ERROR_CHARACTERS = 140;
/** Command lines with less overlap have different purposes. */
const SAME_PURPOSE = 0.6;

/** Returns errors with their fixes: an explained edit, or another form of the command. */
export function solutionLearnings(calls: readonly Call[], sentences: readonly Sentence[]): readonly ValuedLearning[] {
  return repairsOf(calls)
    .filter((repair) => !isTestFirst(repair, calls))
    .flatMap((repair) => (repair.edits.length > 0 ? byEdit(repair, sentences) : byOtherCommand(repair)));
}

function byEdit(repair: Repair, sentences: readonly Sentence[]): readonly ValuedLearning[] {
  const last = repair.failures.at(-1) ?? repair.failures[0];
  const { cause, fix } = explanationOf(repair, sentences);
  const error = shorten(readableError(last.errorLine), MAX_ERROR_CHARACTERS);
  // One sentence: the window's item has the complete story.
  const explanations = [fix ?? cause].filter((sentence) => sentence !== undefined);
  // Without the error and without an explanation there is nothing to learn.
  if (explanations.length === 0 && error === '') return [];
  const files = changedFiles(repair.edits);
  const description =
    explanations.length > 0
      ? paragraph(explanations.map(({ text }) => text))
      : `"${error}" went away after a change to ${files.length > 0 ? listed(files) : 'the code'}.`;
  return [
    {
      value: 1.2 + (cause ? 0.6 : 0) + (fix ? 0.4 : 0),
      draft: {
        category: 'solution',
        title: headingOf([], description),
        description,
        context: `When ${codeOf(last.command?.line ?? last.row.title)} fails${error === '' || explanations.length === 0 ? '' : ` with "${error}"`}`,
        examples: [],
        tags: tagsOf([error], [last.command?.key.split(' ')[0] ?? '']).slice(0, 2),
        confidence: confidenceOf({
          base: 0.5,
          explained: explanations.length > 0,
          verified: isCheck(repair.success.command?.family ?? 'other'),
          repeated: repair.failures.length > 1,
          hedged: cause !== undefined && hasCue(cause.text, 'hedge'),
        }),
        evidence: distinct([
          ...failureEvidence(repair),
          ...explanations.map(cite),
          ...repair.edits.slice(-1).flatMap(({ row }) => citeRow(row)),
          ...passEvidence(repair.success),
        ]),
      },
    },
  ];
}

/** Without an edit, the difference between the two command lines is the lesson, if there is one. */
function byOtherCommand(repair: Repair): readonly ValuedLearning[] {
  const last = repair.failures.at(-1) ?? repair.failures[0];
  const failed = lineOf(last);
  const worked = lineOf(repair.success);
  if (
    last.errorLine === '' ||
    failed === worked ||
    worked.length > MAX_LINE_CHARACTERS ||
    /\s--?(?:help|version|h)\b/u.test(worked)
  )
    return [];
  if (overlap(failed.split(' '), worked.split(' ')) < SAME_PURPOSE) return [];
  const error = shorten(readableError(last.errorLine), MAX_ERROR_CHARACTERS);
  return [
    {
      value: 0.9,
      draft: {
        category: 'solution',
        title: shorten(error, 80),
        description: `${codeOf(failed)} failed; \`${worked}\` worked.`,
        context: '',
        examples: [],
        tags: tagsOf([error], [last.command?.key.split(' ')[0] ?? '']).slice(0, 2),
        confidence: confidenceOf({
          base: 0.45,
          verified: isCheck(repair.success.command?.family ?? 'other'),
          repeated: repair.failures.length > 1,
        }),
        evidence: distinct([...citeLine(last.row, last.errorLine), ...citeRow(repair.success.row)]),
      },
    },
  ];
}

function lineOf({ input }: Call): string {
  return stripAnsi(input).replace(/^\$ /u, '').replaceAll(/\s+/gu, ' ').trim();
}
