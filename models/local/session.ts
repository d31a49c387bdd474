import type { CitedText, SessionInput, SessionSummaryDraft } from '../../domain/ports/model.ts';
import { shorten } from '../../domain/text/clean.ts';
import type { Candidate } from './learnings/candidate.ts';
import { hasCue, isQuestion, isRequest } from './learnings/cues.ts';
import type { Cue } from './learnings/cues.ts';
import { touchedFilesOf } from './notes/file-names.ts';
import { isLastingStatement } from './learnings/learned-statements.ts';
import { nearByWords } from './nearness.ts';
import { noteTitle, paragraph, isLastingPreference } from './notes/notes.ts';
import { derivedTexts, nearestOf } from './learnings/derived-texts.ts';
import type { Tools } from './learnings/derived-texts.ts';
import { sentencesOf } from './segments.ts';
import type { Sentence } from './segments.ts';
import { chosenOf } from './selection.ts';
import { spokenNotes, worthOfUser } from './notes/spoken-notes.ts';
import { actionItemsOf } from './notes/todos.ts';

/** Tokens of the session summary relative to those of topics and items. */
const SHARE = 0.11;
const LEAST_TOKENS = 60;
const MAX_TITLE_CHARACTERS = 80;
const MAX_REQUEST_CHARACTERS = 160;
const MAX_OUTCOME_CHARACTERS = 200;
const MAX_ACTION_ITEMS = 3;
/** Texts with this similarity to topics and items are repetitions. */
const SAME_AS_DERIVED = 0.75;

/** The field of a sentence: the first whose cue it has. */
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
 * Returns a session's summary beyond its topics: findings, completed and open work that no topic or item contains. Always includes the first
 * request and the outcome, so that the summary is useful by itself.
 */
export function sessionOf(input: SessionInput, { countTokens }: Tools): SessionSummaryDraft {
  const sentences = sentencesOf(input.prompts);
  const derived = derivedTexts(input);
  const nearDerived = nearestOf(derived);
  const onlyTouched = touchedFilesOf([], derived);
  const actionItems = openWork(input).filter(
    ({ text }) => nearDerived({ text }) < SAME_AS_DERIVED && onlyTouched(text),
  );
  const lastIndex = input.prompts.length - 1;
  const budgetTokens = Math.max(
    LEAST_TOKENS,
    Math.floor(derived.reduce((sum, text) => sum + countTokens(text), 0) * SHARE),
  );
  const chosen = chosenOf(
    spokenNotes(
      sentences.filter(
        (sentence) =>
          !isLastingPreference(sentence) &&
          !isLastingStatement(sentence) &&
          !hasCue(sentence.text, 'next') &&
          onlyTouched(sentence.text),
      ),
      [],
    ).map((note) => ({ ...note, place: 'narrative' as const, value: note.value + outcomeWorth(note, lastIndex) })),
    {
      budgetTokens: budgetTokens - actionItems.reduce((sum, { text }) => sum + countTokens(text), 0),
      tokensOf: ({ text }) => countTokens(text) + 1,
      near: nearByWords,
      known: nearDerived,
      most: { narrative: 12, point: 0, item: 0, todo: 0 },
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
    // Open work is listed with its evidence.
    nextSteps: '',
    notes: textOf('notes'),
    keyPoints: [],
    actionItems,
  };
}

/** Returns the bonus of claimed work by position: at the end of a session it is the outcome. */
function outcomeWorth({ isFromUser, text, rowIndex, order }: Candidate, lastIndex: number): number {
  if (isFromUser || !hasCue(text, 'done')) return 0;
  return 0.3 + 0.5 * (rowIndex / Math.max(1, lastIndex)) + 0.2 * order;
}

function fieldOf({ text, isFromUser }: Candidate): keyof Fields {
  if (isFromUser) return isRequest({ text }) ? 'request' : 'notes';
  return FIELDS.find(([, cue]) => hasCue(text, cue))?.[0] ?? 'learned';
}

/** Returns the assistant's last claim of completed work; empty without one. */
function outcomeOf(sentences: readonly Sentence[], isFitting: (text: string) => boolean): string {
  const done = sentences.findLast(
    ({ row, text }) => row.type === 'assistant' && hasCue(text, 'done') && !isQuestion(text) && isFitting(text),
  );
  return shorten(done?.text ?? '', MAX_OUTCOME_CHARACTERS);
}

/** Returns the user's first and plainest request. */
function requestOf({ prompts }: SessionInput, isFitting: (text: string) => boolean): Sentence | undefined {
  const requests = sentencesOf(prompts.filter(({ type }) => type === 'user')).filter(
    (sentence) => worthOfUser(sentence) > 0 && isFitting(sentence.text),
  );
  const late = (index: number): number => index / Math.max(1, prompts.length);
  return requests.reduce<Sentence | undefined>((top, next) => {
    const worth = ({ text, place, rowIndex }: Sentence): number =>
      (hasCue(text, 'goal') ? 1 : 0) + (place === 0 ? 0.4 : 0) - (isQuestion(text) ? 0.2 : 0) - late(rowIndex);
    return top === undefined || worth(next) > worth(top) ? next : top;
  }, undefined);
}

/** Names the session by its request. */
function titleOf({ topics, items }: SessionInput, request: Sentence | undefined): string {
  const text = request?.text ?? topics[0]?.title ?? items[0]?.title ?? 'Session without words';
  return noteTitle(shorten(noteTitle(text), MAX_TITLE_CHARACTERS));
}

/** Returns the open work in the assistant's last message. */
function openWork({ prompts }: SessionInput): readonly CitedText[] {
  const last = prompts.findLast(({ type }) => type === 'assistant');
  return last === undefined ? [] : actionItemsOf([last], sentencesOf([last]), MAX_ACTION_ITEMS);
}
