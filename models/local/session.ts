import type { CitedText, SessionInput, SessionSummaryDraft } from '../../domain/ports/model.ts';
import { shorten } from '../../domain/text/clean.ts';
import type { Candidate } from './learnings/candidate.ts';
import { type Cue, hasCue, isQuestion } from './learnings/cues.ts';
import { touchedFilesOf } from './notes/file-names.ts';
import { isLastingStatement } from './learnings/learned-statements.ts';
import { nearByWords } from './meaning.ts';
import { noteTitle, paragraph } from './notes/notes.ts';
import { isRequest } from './requests.ts';
import { derivedTexts, nearestOf, type Tools } from './learnings/said.ts';
import { type Sentence, sentencesOf } from './segments.ts';
import { chosenOf } from './selection.ts';
import { spokenNotes, worthOfUser } from './notes/spoken-notes.ts';
import { actionItemsOf } from './notes/todos.ts';
import { isStandingPreference } from './notes/wishes.ts';

/** Of the tokens of topics and items so many may be added for the session as a whole. */
const SHARE = 0.11;
const LEAST_TOKENS = 60;
const MAX_TITLE_CHARACTERS = 80;
const MAX_REQUEST_CHARACTERS = 160;
const MAX_OUTCOME_CHARACTERS = 200;
const MAX_ACTION_ITEMS = 3;
/** What topics and items say this much is not said again. */
const SAID = 0.75;

/** Where a sentence stands in the summary: the first whose cue it has. */
const FIELDS: readonly (readonly [keyof Fields, Cue])[] = [
  ['learned', 'cause'],
  ['learned', 'label'],
  ['learned', 'decision'],
  ['completed', 'done'],
  ['completed', 'fix'],
  ['investigated', 'probe'],
];
type Fields = Pick<SessionSummaryDraft, 'request' | 'investigated' | 'learned' | 'completed' | 'notes'>;

/**
 * What a session adds to its topics: what was found, done and left open, as far as no topic and no item says it. What was asked for first and
 * what came of it stand in it in any case: without them it is no summary to whoever reads it alone.
 */
export function sessionOf(input: SessionInput, { countTokens }: Tools): SessionSummaryDraft {
  const sentences = sentencesOf(input.prompts);
  const said = derivedTexts(input);
  const nearSaid = nearestOf(said);
  const onlyTouched = touchedFilesOf([], said);
  const actionItems = openWork(input).filter(({ text }) => nearSaid({ text }) < SAID && onlyTouched(text));
  const lastIndex = input.prompts.length - 1;
  const room = Math.max(LEAST_TOKENS, Math.floor(said.reduce((sum, text) => sum + countTokens(text), 0) * SHARE));
  const chosen = chosenOf(
    spokenNotes(
      sentences.filter(
        (sentence) =>
          !isStandingPreference(sentence) &&
          !isLastingStatement(sentence) &&
          !hasCue(sentence.text, 'next') &&
          onlyTouched(sentence.text),
      ),
      [],
    ).map((note) => ({ ...note, place: 'told' as const, value: note.value + outcomeWorth(note, lastIndex) })),
    {
      room: room - actionItems.reduce((sum, { text }) => sum + countTokens(text), 0),
      tokensOf: ({ text }) => countTokens(text) + 1,
      near: nearByWords,
      known: nearSaid,
      most: { told: 12, point: 0, item: 0, todo: 0 },
    },
  );
  const fields = Map.groupBy(chosen, fieldOf);
  const textOf = (field: keyof Fields): string => paragraph((fields.get(field) ?? []).map(({ text }) => text));
  const first = requestOf(input, onlyTouched);
  return {
    title: titleOf(input, first),
    request: paragraph([shorten(first?.text ?? '', MAX_REQUEST_CHARACTERS), textOf('request')]),
    investigated: textOf('investigated'),
    learned: textOf('learned'),
    completed: textOf('completed') || outcomeOf(sentences, onlyTouched),
    // What is open is listed with its evidence.
    nextSteps: '',
    notes: textOf('notes'),
    keyPoints: [],
    actionItems,
  };
}

/** What the assistant says it has done counts most at the end of a session, where it is the outcome. */
function outcomeWorth({ asked, text, rowIndex, order }: Candidate, lastIndex: number): number {
  if (asked || !hasCue(text, 'done')) return 0;
  return 0.3 + 0.5 * (rowIndex / Math.max(1, lastIndex)) + 0.2 * order;
}

function fieldOf({ text, asked }: Candidate): keyof Fields {
  if (asked) return isRequest({ text }) ? 'request' : 'notes';
  return FIELDS.find(([, cue]) => hasCue(text, cue))?.[0] ?? 'learned';
}

/** What the assistant said last that it had done; empty where it said nothing of the kind. */
function outcomeOf(sentences: readonly Sentence[], isFitting: (text: string) => boolean): string {
  const done = sentences.findLast(
    ({ row, text }) => row.type === 'assistant' && hasCue(text, 'done') && !isQuestion(text) && isFitting(text),
  );
  return shorten(done?.text ?? '', MAX_OUTCOME_CHARACTERS);
}

/** What the user asked for first and most plainly. */
function requestOf({ prompts }: SessionInput, isFitting: (text: string) => boolean): Sentence | undefined {
  const asked = sentencesOf(prompts.filter(({ type }) => type === 'user')).filter(
    (sentence) => worthOfUser(sentence) > 0 && isFitting(sentence.text),
  );
  const late = (index: number): number => index / Math.max(1, prompts.length);
  return asked.reduce<Sentence | undefined>((top, next) => {
    const worth = ({ text, place, rowIndex }: Sentence): number =>
      (hasCue(text, 'goal') ? 1 : 0) + (place === 0 ? 0.4 : 0) - (isQuestion(text) ? 0.2 : 0) - late(rowIndex);
    return top === undefined || worth(next) > worth(top) ? next : top;
  }, undefined);
}

/** The session is named by that. */
function titleOf({ topics, items }: SessionInput, request: Sentence | undefined): string {
  const text = request?.text ?? topics[0]?.title ?? items[0]?.title ?? 'Session without words';
  return noteTitle(shorten(noteTitle(text), MAX_TITLE_CHARACTERS));
}

/** What the last words of the assistant leave to do. */
function openWork({ prompts }: SessionInput): readonly CitedText[] {
  const last = prompts.findLast(({ type }) => type === 'assistant');
  return last === undefined ? [] : actionItemsOf([last], sentencesOf([last]), MAX_ACTION_ITEMS);
}
