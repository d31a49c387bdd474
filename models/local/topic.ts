import type { CitedText, ItemDraft, TopicSummaryDraft, WindowInput } from '../../domain/ports/model.ts';
import { shorten, verbatimHead } from '../../domain/text/clean.ts';
import { callsOf } from './calls.ts';
import type { Call } from './calls.ts';
import { knownTexts } from './learnings/candidate.ts';
import type { Candidate } from './learnings/candidate.ts';
import { activityOf } from './notes/activity.ts';
import { commitNotes } from './notes/commit-notes.ts';
import { commandNotes } from './notes/command-notes.ts';
import { isQuestion, isRequest, isThin } from './learnings/cues.ts';
import { namesFile, touchedFilesOf } from './notes/file-names.ts';
import {
  MAX_TITLE_CHARACTERS,
  clamped,
  headingOf,
  noteTitle,
  paragraph,
  tagsOf,
  citeLine,
  citeRow,
  distinct,
  isLastingPreference,
  listed,
} from './notes/notes.ts';
import { nearByWords, nearKnown } from './nearness.ts';
import { chosenOf } from './selection.ts';
import type { Tools } from './learnings/derived-texts.ts';
import { repairNotes } from './notes/repair-notes.ts';
import { sentencesOf } from './segments.ts';
import { spokenNotes } from './notes/spoken-notes.ts';
import { todoNotes } from './notes/todos.ts';
import { termsOf } from '../../domain/text/terms.ts';

const MAX_LINE_CHARACTERS = 160;

/** Returns the completely written files of a window as one note, in the words of the tool if there is one file. */
export function fileNotes(calls: readonly Call[]): readonly Candidate[] {
  const written = calls.flatMap((call) => {
    const [path] = call.row.filesModified;
    return path === undefined || call.row.tool !== 'Write' || call.outcome === 'failed' ? [] : [{ call, path }];
  });
  const paths = [...new Set(written.map(({ path }) => path))];
  const [first] = written;
  if (first === undefined) return [];
  const line = paths.length === 1 ? outputLineOf(first.call, first.path) : '';
  return [
    {
      place: 'point',
      kind: null,
      title: '',
      text: line === '' ? `Wrote ${listed(paths, MAX_WRITTEN)}` : line,
      evidence: distinct(
        [...citeLine(first.call.row, line), ...written.flatMap(({ call }) => citeRow(call.row))],
        paths.length,
      ),
      terms: termsOf(paths.join(' ')),
      value: paths.length > 1 ? 1.6 : 0.5,
      rowIndex: first.call.rowIndex,
      order: 0,
      isFromUser: false,
    },
  ];
}

const MAX_WRITTEN = 4;

/** Returns the line of the output that names the file and its change. */
function outputLineOf({ row, output }: Call, path: string): string {
  const line = output
    .split('\n')
    .map((candidate) => candidate.trim())
    .find((candidate) => candidate.includes(path) && /\b(?:wrote|written|created|updated|saved)\b/iu.test(candidate));
  return line === undefined || line.length > MAX_LINE_CHARACTERS || !row.content.includes(line)
    ? ''
    : verbatimHead(line, MAX_LINE_CHARACTERS);
}

/** Token budget relative to the window; the rest of the 5 % is for the session and its learnings. */
const SHARE = 0.044;
/** A smaller window is a short session or the end of one, and gets a larger share: there are few of them. */
const SHORT_TOKENS = 1_200;
const SHARE_OF_SHORT = 0.5;
const LEAST_TOKENS = 64;
const MOST_OF_SHORT_TOKENS = 160;
/** A first window of less was most likely the whole session. */
const FIRST_TOKENS = 2500;
const MOST_OF_FIRST_TOKENS = 240;
/** Limit of a title that is not among the chosen notes, and so has no budget of its own. */
const MAX_FALLBACK_CHARACTERS = 60;
const MOST = { narrative: 8, point: 7, item: 6, todo: 2 };

/** Summarises a window: every sentence is from a row, or a short frame around words from a row. */
export function topicOf(input: WindowInput, { countTokens }: Tools): TopicSummaryDraft {
  const sentences = sentencesOf(input.rows);
  const calls = callsOf(input.rows);
  // A rule about a file remains: only here it is known that a tool touched the file.
  const wishes = new Set(
    sentences
      .filter((sentence) => isLastingPreference(sentence) && !namesFile(sentence.text))
      .map(({ quote }) => quote),
  );
  const onlyTouched = touchedFilesOf(input.rows);
  const repairs = repairNotes(sentences, calls);
  // The explanation of a repair is part of its note.
  const elsewhere = new Set([...wishes, ...repairs.flatMap(({ evidence }) => evidence.map(({ quote }) => quote))]);
  const candidates = [
    ...spokenNotes(
      sentences,
      calls.flatMap(({ edits, rowIndex }) => (edits ? [rowIndex] : [])),
    ).filter(({ evidence: [first] }) => first === undefined || !elsewhere.has(first.quote)),
    ...repairs,
    ...commitNotes(calls),
    ...commandNotes(calls, new Set(repairs.flatMap(({ evidence }) => evidence.map(({ rowId }) => rowId)))),
    ...fileNotes(calls),
    ...todoNotes(input.rows, sentences),
  ]
    .filter(({ text, title }) => onlyTouched(`${title} ${text}`))
    .sort((a, b) => a.rowIndex - b.rowIndex || a.order - b.order);
  const windowTokens = input.rows.reduce((sum, { tokens }) => sum + tokens, 0);
  const chosen = chosenOf(candidates, {
    budgetTokens: budgetOf(windowTokens, input.precedingRequest === null),
    tokensOf: (candidate) => countTokens(candidate.text) + (candidate.title === '' ? 1 : countTokens(candidate.title)),
    near: nearByWords,
    known: nearKnown(knownTexts(input.known)),
    most: MOST,
  });
  const activity = activityOf(calls);
  const named = titleOf(chosen, input, onlyTouched, activity.title);
  const narrative = chosen.filter((note) => note.place === 'narrative' && note !== named.from);
  return {
    title: named.title,
    // Questions alone do not say what happened.
    content: paragraph([
      ...narrative.map(({ text }) => text),
      ...(chosen.every(({ text }) => isQuestion(text)) ? [activity.text] : []),
    ]),
    keyPoints: chosen.filter((note) => note.place === 'point' && note !== named.from).map(pointOf),
    actionItems: chosen.filter((note) => note.place === 'todo').map(pointOf),
    items: chosen.filter((note) => note.place === 'item').map(itemOf),
  };
}

function budgetOf(tokens: number, isFirst: boolean): number {
  if (isFirst && tokens < FIRST_TOKENS)
    return Math.floor(Math.max(LEAST_TOKENS, Math.min(tokens * SHARE_OF_SHORT, MOST_OF_FIRST_TOKENS)));
  const share =
    tokens < SHORT_TOKENS
      ? Math.max(LEAST_TOKENS, Math.min(tokens * SHARE_OF_SHORT, MOST_OF_SHORT_TOKENS))
      : tokens * SHARE;
  return Math.floor(share);
}

/** Names a topic by the user's request, else by the best note; the title is not repeated. */
function titleOf(
  chosen: readonly Candidate[],
  { precedingRequest, rows }: WindowInput,
  isFitting: (text: string) => boolean,
  activity: string,
): { readonly title: string; readonly from: Candidate | undefined } {
  const fitting = chosen.filter(
    ({ text, place }) => text.length <= MAX_TITLE_CHARACTERS && place !== 'item' && place !== 'todo',
  );
  const from = best(
    fitting.filter(({ isFromUser, place }) => isFromUser || place === 'narrative'),
    ({ isFromUser, text, value }) => value + (isFromUser && isRequest({ text }) ? REQUEST_TITLE : 0),
  );
  if (from !== undefined) return { title: from.text, from };
  const item = chosen.find(({ place }) => place === 'item');
  if (item !== undefined)
    return { title: headingOf(item.terms, item.title === '' ? item.text : item.title), from: undefined };
  const last =
    rows.findLast(({ type, content }) => type === 'user' && !isThin(content))?.content ??
    precedingRequest?.content ??
    null;
  if (last !== null && !isThin(last) && isFitting(last))
    return { title: noteTitle(shorten(last, MAX_FALLBACK_CHARACTERS)), from: undefined };
  if (activity !== '') return { title: shorten(activity, MAX_TITLE_CHARACTERS), from: undefined };
  if (rows.length === 0) return { title: 'Nothing to summarise', from: undefined };
  const fallback = rows
    .map((row) => noteTitle(shorten(row.title === '' ? row.content : row.title, MAX_FALLBACK_CHARACTERS)))
    .find((title) => title !== '' && isFitting(title));
  return { title: fallback ?? 'Nothing to note', from: undefined };
}

/** A title is the user's request, unless another note says much more. */
const REQUEST_TITLE = 0.4;

function best(notes: readonly Candidate[], worth: (note: Candidate) => number): Candidate | undefined {
  return notes.reduce<Candidate | undefined>(
    (top, note) => (top === undefined || worth(note) > worth(top) ? note : top),
    undefined,
  );
}

function pointOf({ text, evidence }: Candidate): CitedText {
  return { text, evidence };
}

function itemOf({ kind, title, text, terms, evidence, value }: Candidate): ItemDraft {
  const isTitle = title === '' && text.length <= MAX_TITLE_CHARACTERS;
  return {
    kind: kind ?? 'discovery',
    title: isTitle ? text : title === '' ? headingOf(terms, text) : title,
    content: isTitle ? '' : text,
    tags: tagsOf([title, text]).slice(0, 2),
    importance: clamped(value / 2, 0.2, 0.9),
    evidence,
  };
}
