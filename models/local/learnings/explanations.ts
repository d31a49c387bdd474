import { overlap, termsOf } from '../../../domain/text/terms.ts';
import { readableError } from '../calls.ts';
import { isCheck } from '../commands.ts';
import { type Cue, hasCue, isQuestion } from './cues.ts';
import { changedFiles, type Repair } from '../repairs.ts';
import type { Sentence } from '../segments.ts';

/** Statements about a repair; undefined if there are none. */
interface Explanation {
  readonly cause: Sentence | undefined;
  readonly fix: Sentence | undefined;
}

/** The assistant summarises a turn at its end: this many rows after the success are still about the repair. */
const ROWS_AFTER = 8;

/** Finds the cause and the fix among the sentences from the first failure to the end of the turn with the success. */
export function explanationOf(repair: Repair, sentences: readonly Sentence[]): Explanation {
  const from = repair.failures[0].rowIndex;
  const to = endOfTurn(repair.success.rowIndex, sentences);
  const near = sentences.filter(({ rowIndex, text }) => rowIndex >= from && rowIndex <= to && !isQuestion(text));
  const about = termsOf(
    [
      ...repair.failures.map(({ errorLine }) => readableError(errorLine)),
      ...changedFiles(repair.edits),
      repair.success.command?.line ?? '',
    ].join(' '),
  );
  const cause = bestWith('cause', near, about);
  const rest = near.filter((sentence) => sentence !== cause);
  return {
    cause,
    fix:
      bestWith('fix', rest, about) ??
      (isCheck(repair.success.command?.family ?? 'other') ? bestWith('done', rest, about) : undefined),
  };
}

function endOfTurn(success: number, sentences: readonly Sentence[]): number {
  const nextRequest = sentences.find(
    ({ rowIndex, row }) => rowIndex > success && row.role === 'prompt' && row.type === 'user',
  );
  return Math.min(success + ROWS_AFTER, (nextRequest?.rowIndex ?? Number.POSITIVE_INFINITY) - 1);
}

/** Minimum overlap of a sentence with the error, the files or the command that it is about. */
const MIN_OVERLAP = 0.1;

function bestWith(cue: Cue, sentences: readonly Sentence[], about: readonly string[]): Sentence | undefined {
  let best: { sentence: Sentence; score: number } | undefined;
  for (const sentence of sentences) {
    if (!hasCue(sentence.text, cue) || hasCue(sentence.text, 'narration')) continue;
    const shared = overlap(sentence.terms, about);
    if (shared < MIN_OVERLAP && !hasCue(sentence.text, 'label')) continue;
    const score =
      shared +
      (hasCue(sentence.text, 'hedge') ? -0.2 : 0) +
      (sentence.fragment ? -0.1 : 0) +
      (hasCue(sentence.text, 'pointing') ? -0.4 : 0) +
      Math.min(sentence.terms.length, 12) / 60;
    if (best === undefined || score > best.score) best = { sentence, score };
  }
  return best?.sentence;
}
