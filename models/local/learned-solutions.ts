import type { LearningDraft } from '../../domain/ports/model.ts';
import { shorten, stripAnsi } from '../../domain/text/clean.ts';
import { overlap } from '../../domain/text/terms.ts';
import { type Call, readableError } from './calls.ts';
import { isCheck } from './commands.ts';
import { confidenceOf } from './confidence.ts';
import { hasCue } from './cues.ts';
import { explanationOf } from './explanations.ts';
import { changeStory, failureEvidence, failureStory, mendedTitle, passEvidence } from './item-repairs.ts';
import { cite, citeLine, citeRow, codeOf, distinct, noteTitle, paragraph, tagsOf } from './notes.ts';
import { changedFiles, isTestFirst, type Repair, repairsOf } from './repairs.ts';
import type { Sentence } from './segments.ts';

const MAX_SOLUTIONS = 5;
const MAX_EXAMPLE_CHARACTERS = 400;
/** Two command lines that share fewer of their words were run for different ends. */
const SAME_PURPOSE = 0.6;

/** Errors and what mended them: an edit, or another way to call the command. */
export function solutionLearnings(
  calls: readonly Call[],
  sentences: readonly Sentence[],
  place: string,
): readonly LearningDraft[] {
  return repairsOf(calls)
    .filter((repair) => !isTestFirst(repair, calls))
    .flatMap((repair) => (repair.edits.length > 0 ? byEdit(repair, sentences, place) : byOtherCommand(repair, place)))
    .sort((a, b) => b.confidence - a.confidence)
    .slice(0, MAX_SOLUTIONS);
}

function byEdit(repair: Repair, sentences: readonly Sentence[], place: string): readonly LearningDraft[] {
  const last = repair.failures.at(-1) ?? repair.failures[0];
  const { cause, fix } = explanationOf(repair, sentences);
  const error = readableError(last.errorLine);
  const files = changedFiles(repair.edits);
  const telling = [cause, fix].find((sentence) => sentence !== undefined && !hasCue(sentence.text, 'pointing'));
  // Without the error and without a word about it there is nothing to learn.
  if (telling === undefined && (error === '' || last.command?.family === 'vcs')) return [];
  const learning: LearningDraft = {
    category: 'solution',
    title: noteTitle(telling?.text ?? mendedTitle('Mend', error, last, files)),
    description: paragraph([
      failureStory(repair),
      ...(cause ? [cause.text] : []),
      ...(fix ? [fix.text] : []),
      changeStory(repair),
    ]),
    context: `When ${codeOf(last.command?.line ?? last.row.title)} fails${place}`,
    examples: [last.errorLine, repair.success.command?.line ?? '', ...repair.edits.slice(-1).map(newLinesOf)]
      .filter((text) => text !== '')
      .map(asExample),
    tags: tagsOf([error, ...files], [last.command?.key.split(' ')[0] ?? '']),
    confidence: confidenceOf({
      base: 0.5,
      explained: cause !== undefined || fix !== undefined,
      verified: isCheck(repair.success.command?.family ?? 'other'),
      repeated: repair.failures.length > 1,
      hedged: cause !== undefined && hasCue(cause.text, 'hedge'),
    }),
    evidence: distinct([
      ...failureEvidence(repair),
      ...(cause ? [cite(cause)] : []),
      ...(fix ? [cite(fix)] : []),
      ...repair.edits.slice(-1).flatMap(({ row }) => citeRow(row)),
      ...passEvidence(repair.success),
    ]),
  };
  return [learning];
}

/** Nothing was edited: the difference between the two command lines is the lesson, where there is one. */
function byOtherCommand(repair: Repair, place: string): readonly LearningDraft[] {
  const last = repair.failures.at(-1) ?? repair.failures[0];
  const failed = lineOf(last);
  const worked = lineOf(repair.success);
  if (
    last.errorLine === '' ||
    failed === worked ||
    worked.length > MAX_EXAMPLE_CHARACTERS ||
    /\s--?(?:help|version|h)\b/u.test(worked)
  )
    return [];
  if (overlap(failed.split(' '), worked.split(' ')) < SAME_PURPOSE) return [];
  const error = readableError(last.errorLine);
  return [
    {
      category: 'solution',
      title: noteTitle(`${shorten(error, 60)}: use ${shorten(worked, 70)}`),
      description: `${codeOf(failed)} failed with "${error}"; \`${worked}\` worked.`,
      context: `When ${codeOf(last.command?.line ?? failed)} fails${place}`,
      examples: [worked],
      tags: tagsOf([error], [last.command?.key.split(' ')[0] ?? '']),
      confidence: confidenceOf({
        base: 0.45,
        verified: isCheck(repair.success.command?.family ?? 'other'),
        repeated: repair.failures.length > 1,
      }),
      evidence: distinct([...citeLine(last.row, last.errorLine), ...citeRow(repair.success.row)]),
    },
  ];
}

function lineOf({ input }: Call): string {
  return stripAnsi(input).replace(/^\$ /u, '').replaceAll(/\s+/gu, ' ').trim();
}

/** The lines that an edit brought in. */
function newLinesOf({ row }: Call): string {
  return row.content
    .split('\n')
    .flatMap((line) => /^(?:\s*\d+ )?\+ ?(?<code>.*)$/u.exec(line)?.groups?.['code'] ?? [])
    .join('\n')
    .trim();
}

function asExample(text: string): string {
  return shorten(stripAnsi(text), MAX_EXAMPLE_CHARACTERS);
}
