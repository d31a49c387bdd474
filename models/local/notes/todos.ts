import type { CitedText, SourceRow } from '../../../domain/ports/model.ts';
import { plainText, verbatimHead } from '../../../domain/text/clean.ts';
import { termsOf } from '../../../domain/text/terms.ts';
import type { Candidate } from '../learnings/candidate.ts';
import { hasCue } from '../learnings/cues.ts';
import { cite, citeLine, noteTitle } from './notes.ts';
import { isRepeated, diverse, scored } from '../ranking.ts';
import type { Sentence } from '../segments.ts';

const TODO_TOOLS = /^(?:todo_?write|update_plan|task_?(?:create|update|list)|write_todos)$/iu;
const OPEN_BOX = /^\s*(?:[-*]\s*)?(?:☐|\[ \]|◻|□)\s*(?<task>\S.*)$/u;
const PENDING_JSON =
  /"content"\s*:\s*"(?<task>(?:[^"\\]|\\.){3,400})"\s*,\s*"status"\s*:\s*"(?:pending|in_progress)"/gu;

/** Routine steps that need no reminder. */
const ROUTINE = /^(?:commit|push|run)\b.{0,30}$|^(?:commit and push)$/iu;

/** Returns a window's open work: open boxes of the last to-do list, then statements of open work. At most `most`. */
export function actionItemsOf(
  rows: readonly SourceRow[],
  sentences: readonly Sentence[],
  most: number,
): readonly CitedText[] {
  const found: CitedText[] = [];
  const statements = scored(sentences).filter(({ text, stated }) => stated === 'next' && !hasCue(text, 'narration'));
  for (const sentence of diverse(statements, most))
    found.push({ text: noteTitle(sentence.text), evidence: [cite(sentence)] });
  found.push(...underNextSteps(sentences), ...openTodos(rows));
  return withoutRepeats(found).slice(0, most);
}

const MOST_TODOS = 6;
/** As a plain statement: open work is often searched for, but often done a window later. */
const WORTH = 1;
/** An entry of a to-do list is a plan of the moment. */
const WORTH_OF_LISTED = 0.5;

/** Returns a window's open work as notes. */
export function todoNotes(rows: readonly SourceRow[], sentences: readonly Sentence[]): readonly Candidate[] {
  const places = new Map(rows.map(({ id }, index) => [id, index]));
  return actionItemsOf(rows, sentences, MOST_TODOS).map(({ text, evidence }) => ({
    place: 'todo',
    kind: null,
    title: '',
    text,
    evidence,
    terms: termsOf(text),
    value: rows.find(({ id }) => id === evidence[0]?.rowId)?.tool === null ? WORTH : WORTH_OF_LISTED,
    rowIndex: places.get(evidence[0]?.rowId ?? '') ?? 0,
    order: 1,
    isFromUser: false,
  }));
}

const NEXT_STEPS =
  /(?:^|\n)[#*\s]*(?:next steps?|to-?do|remaining(?: work)?|follow[- ]ups?|下一步|待办)[*\s]*[:：]?[*\s]*\n/iu;

/** Returns the list items after a "Next steps:" line, in the assistant's last message with one. */
function underNextSteps(sentences: readonly Sentence[]): readonly CitedText[] {
  const last = sentences.findLast(({ row }) => row.type === 'assistant' && NEXT_STEPS.test(row.content))?.row;
  const heading = NEXT_STEPS.exec(last?.content ?? '');
  if (last === undefined || heading === null) return [];
  const after = heading.index + heading[0].length;
  return sentences
    .filter(({ row, fragment, quote }) => row.id === last.id && fragment && last.content.indexOf(quote) >= after)
    .map((sentence) => ({ text: noteTitle(sentence.text), evidence: [cite(sentence)] }));
}

function openTodos(rows: readonly SourceRow[]): readonly CitedText[] {
  const list = rows.findLast(({ tool }) => tool !== null && TODO_TOOLS.test(tool));
  if (list === undefined) return [];
  // Output that repeats the previous list would reopen completed items.
  const current = list.content.split('"oldTodos"', 1)[0] ?? '';
  const boxes = current.split('\n').flatMap((line) => OPEN_BOX.exec(line)?.groups?.['task'] ?? []);
  const tasks =
    boxes.length > 0 ? boxes : [...current.matchAll(PENDING_JSON)].flatMap(({ groups }) => groups?.['task'] ?? []);
  return tasks
    .filter((task) => !ROUTINE.test(task.trim()))
    .flatMap((task) => {
      const quote = verbatimHead(task.trim(), 300);
      const evidence = citeLine(list, quote);
      return evidence.length > 0 ? [{ text: noteTitle(plainText(quote)), evidence }] : [];
    });
}

/** Removes texts that repeat an earlier one. */
export function withoutRepeats(texts: readonly CitedText[]): readonly CitedText[] {
  const unique: CitedText[] = [];
  for (const text of texts) {
    if (
      text.text !== '' &&
      !isRepeated(
        termsOf(text.text),
        unique.map((other) => termsOf(other.text)),
      )
    )
      unique.push(text);
  }
  return unique;
}
