import type { CitedText, SessionInput, SessionSummaryDraft } from '../../domain/ports/model.ts';
import { shorten } from '../../domain/text/clean.ts';
import type { Candidate } from './learnings/candidate.ts';
import { hasCue, isCorrection, isQuestion, isRequest } from './learnings/cues.ts';
import type { Cue } from './learnings/cues.ts';
import { touchedFilesOf } from './notes/file-names.ts';
import { isLastingStatement } from './learnings/learned-statements.ts';
import { nearByWords } from './nearness.ts';
import { noteTitle, paragraph, isLastingPreference } from './notes/notes.ts';
import { derivedTexts, nearestOf } from './learnings/derived-texts.ts';
import type { Tools } from './learnings/derived-texts.ts';
import { diverse, scored } from './ranking.ts';
import { sentencesOf } from './segments.ts';
import { termsOf, wordCount } from '../../domain/text/terms.ts';
import type { Sentence } from './segments.ts';
import { chosenOf } from './selection.ts';
import { spokenNotes, worthOfUser } from './notes/spoken-notes.ts';
import { actionItemsOf } from './notes/todos.ts';

/** Tokens of the session summary relative to those of topics and items. */
const SHARE = 0.1;
const LEAST_TOKENS = 60;
const MAX_TITLE_CHARACTERS = 80;
const MAX_REQUEST_CHARACTERS = 160;
const MAX_OUTCOME_CHARACTERS = 200;
const MAX_ACTION_ITEMS = 4;
const MAX_ANSWERS = 2;
/** Prohibitions and demands to think or look again name no work. */
const ASIDE = /\b(?:don['’]?t|do not|never|think (?:\w+ )?hard(?:er)?|ultra ?think|review (?:it|this|that))\b|不要/iu;

/** The field of a sentence: the first whose cue it has. */
const FIELDS: readonly (readonly [keyof Fields, Cue])[] = [
  ['learned', 'cause'],
  ['learned', 'label'],
  ['learned', 'decision'],
  ['investigated', 'probe'],
  ['completed', 'done'],
  ['completed', 'fix'],
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
  // Listed again if a topic has it: readers of the session look for open work here.
  const actionItems = openWork(input, sentences).filter(({ text }) => onlyTouched(text));
  const lastIndex = input.prompts.length - 1;
  const budgetTokens = Math.max(
    LEAST_TOKENS,
    Math.floor(derived.reduce((sum, text) => sum + countTokens(text), 0) * SHARE),
  );
  const chosen = chosenOf(
    spokenNotes(
      sentences.filter(
        (sentence) => !isLastingPreference(sentence) && !isLastingStatement(sentence) && onlyTouched(sentence.text),
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
  const said = scored(sentences.filter((sentence) => isAnswer(sentence) && onlyTouched(sentence.text)));
  const results = {
    investigated: textOf('investigated'),
    learned: textOf('learned'),
    completed: textOf('completed') || outcomeOf(sentences, onlyTouched) || deedsOf(input, said.length > 0),
  };
  const isSilent = Object.values(results).every((text) => text === '');
  const first = requestOf(input, onlyTouched);
  return {
    title: titleOf(input, first, said),
    request: paragraph([shorten(first?.text ?? '', MAX_REQUEST_CHARACTERS), textOf('request')]),
    ...results,
    // Without results the assistant's answers are what happened.
    ...(isSilent ? { learned: paragraph(diverse(said, MAX_ANSWERS).map(({ text }) => text)) } : {}),
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
  return 0.15 + 0.5 * (rowIndex / Math.max(1, lastIndex)) + 0.2 * order;
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
      (hasCue(text, 'goal') ? 1 : 0) +
      (place === 0 ? 0.4 : 0) +
      Math.min(termsOf(text).length, 8) / 16 -
      (isQuestion(text) ? 0.8 : 0) -
      (ASIDE.test(text) || isCorrection(text) ? 0.8 : 0) -
      2 * late(rowIndex);
    return top === undefined || worth(next) > worth(top) ? next : top;
  }, undefined);
}

const MAX_DEEDS = 5;

/** Returns the work that items record; if nobody says anything either, what the topics say. */
function deedsOf({ topics, items }: SessionInput, isSaid: boolean): string {
  const works = worksOf(items);
  if (works.length > 0 || isSaid) return paragraph(works.slice(-MAX_DEEDS));
  return paragraph(topics.slice(0, MAX_DEEDS).map(({ title, content }) => content || title));
}

function worksOf(items: SessionInput['items']): readonly string[] {
  return items.filter(({ kind }) => kind !== 'discovery' && kind !== 'decision').map(({ title }) => title);
}

/** Returns true for a sentence of the assistant that tells something. */
function isAnswer({ row, text, stated }: Sentence): boolean {
  return (
    row.type === 'assistant' &&
    stated !== 'next' &&
    !isQuestion(text) &&
    !hasCue(text, 'narration') &&
    !/[:：]$/u.test(text)
  );
}

/** "feat(cli): " before a commit's subject. */
const COMMIT_TYPE = /^[a-z]{2,10}(?:\([^)]*\))?!?: (?=\S)/u;

/** In a session of this many topics the first request is seldom what it was about. */
const MANY_TOPICS = 4;

/** Returns the text whose words occur in most topics; undefined of none. */
function mostCommon(texts: readonly string[], topics: SessionInput['topics']): string | undefined {
  const all = topics.map(
    ({ title, content, keyPoints }) =>
      new Set(termsOf([title, content, ...keyPoints.map(({ text }) => text)].join(' '))),
  );
  const worth = (text: string): number => {
    const terms = [...new Set(termsOf(text))];
    const shared = terms.reduce((sum, term) => sum + all.filter((topic) => topic.has(term)).length, 0);
    // Very short texts have no chance to be unspecific.
    return shared / Math.max(terms.length, 5);
  };
  return texts.reduce<string | undefined>(
    (top, next) => (top === undefined || worth(next) > worth(top) ? next : top),
    undefined,
  );
}

/** Returns true for a text that can name what happened: three words or more, no question, no command. */
function isName(text: string): boolean {
  return wordCount(text) >= 3 && !isQuestion(text) && !/^\/|^`[^`]*`$/u.test(text);
}

/** Names the session by its request; if that only asks, by the answer. */
function titleOf(
  { topics, items }: SessionInput,
  request: Sentence | undefined,
  said: readonly (Sentence & { readonly score: number })[],
): string {
  const [answer] = diverse(
    said.filter(({ text }) => text.length <= MAX_REQUEST_CHARACTERS),
    1,
  );
  const works = worksOf(items);
  const heard = [request?.text, answer?.text].filter((text) => text !== undefined);
  const named = [...heard, ...topics.flatMap(({ title, content }) => [title, content])].find(isName);
  const many = topics.length < MANY_TOPICS ? [] : works.filter(isName);
  const text =
    mostCommon([...many, ...(named === undefined ? [] : [named])], topics) ??
    works[0] ??
    heard[0] ??
    topics[0]?.title ??
    'Session without words';
  return noteTitle(shorten(noteTitle(text.replace(COMMIT_TYPE, '')), MAX_TITLE_CHARACTERS));
}

/** Work that is left for another session, whenever it was said. */
const PUT_OFF =
  /\b(?:next (?:time|session)|tomorrow|later|afterwards|another day|(?:later|future|separate|follow-?up) \w+)\b|下次|明天|以后|之后|稍后|回头|改天|留[到待]/iu;

/** Returns the open work from the assistant's last message on, and what was put off before. */
function openWork({ prompts }: SessionInput, sentences: readonly Sentence[]): readonly CitedText[] {
  const last = prompts.findLastIndex(({ type }) => type === 'assistant');
  return actionItemsOf(
    [],
    sentences.filter(({ rowIndex, text, stated }) => rowIndex >= last || (stated === 'next' && PUT_OFF.test(text))),
    MAX_ACTION_ITEMS,
  );
}
