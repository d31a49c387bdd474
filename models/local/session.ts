import type { CitedText, ItemKind, SessionInput, SessionSummaryDraft, StoredItem } from '../../domain/ports/model.ts';
import { plainText, shorten } from '../../domain/text/clean.ts';
import { termsOf } from '../../domain/text/terms.ts';
import { type Cue, hasCue, isQuestion, preferenceStrength } from './cues.ts';
import { asSentence, noteTitle, paragraph } from './notes.ts';
import { alreadySaid, diverse, type Scored, scored } from './ranking.ts';
import { isRequest, requestOf } from './requests.ts';
import { sentencesOf } from './segments.ts';
import { actionItemsOf, withoutRepeats } from './todos.ts';

const MAX_LATER_REQUESTS = 5;
const MAX_KEY_POINTS = 8;
const MAX_ACTION_ITEMS = 6;
/** To-do lists of earlier topics were worked off in later ones; only the end of a session tells what is open. */
const TOPICS_WITH_OPEN_WORK = 1;

/** Summarises a session from its topics, items and prompts; a field is empty where there is nothing to say. */
export function sessionOf(input: SessionInput): SessionSummaryDraft {
  const sentences = scored(sentencesOf(input.prompts));
  const requests = requestsOf(sentences);
  const said = new Said();
  const learned = said.add(
    [...bestOf(sentences, ['cause', 'label'], 3), ...contentsOf(input.items, ['decision', 'security', 'discovery'], 4)],
    6,
  );
  const completed = said.add(completedOf(input, sentences), 6);
  const actionItems = openWork(input);
  return {
    title: titleOf(input, requests),
    request: requestText(requests),
    investigated: paragraph(said.add(bestOf(sentences, ['probe'], 4), 3)),
    learned: paragraph(learned),
    completed: paragraph(completed),
    nextSteps: paragraph(actionItems.map(({ text }) => text)),
    notes: paragraph(notesOf(sentences)),
    keyPoints: keyPointsOf(input),
    actionItems,
  };
}

/** Keeps a statement from standing in two fields. */
class Said {
  readonly #terms: (readonly string[])[] = [];

  /** The first `most` texts that were not said before. */
  add(texts: readonly string[], most: number): readonly string[] {
    const fresh: string[] = [];
    for (const text of texts) {
      const terms = termsOf(text);
      if (fresh.length === most || terms.length === 0 || alreadySaid(terms, this.#terms)) continue;
      this.#terms.push(terms);
      fresh.push(text);
    }
    return fresh;
  }
}

/** One sentence for each prompt of the user that asks for something. */
function requestsOf(sentences: readonly Scored[]): readonly Scored[] {
  const byPrompt = Map.groupBy(sentences, ({ row }) => row.id);
  return [...byPrompt.values()].flatMap((ofPrompt) => requestOf(ofPrompt) ?? []);
}

function requestText([first, ...later]: readonly Scored[]): string {
  if (first === undefined) return '';
  const others = diverse(later.filter(isRequest), MAX_LATER_REQUESTS);
  const inOrder = [...others].sort((a, b) => a.rowIndex - b.rowIndex);
  const then = inOrder.map(({ text }) => shorten(noteTitle(text), 110)).join('; ');
  return asSentence(shorten(first.text, 300)) + (then === '' ? '' : ` Then: ${asSentence(then)}`);
}

function titleOf(input: SessionInput, requests: readonly Scored[]): string {
  const request = requests.find(isRequest) ?? requests[0];
  if (request !== undefined) return noteTitle(request.text);
  const [item] = byImportance(input.items);
  return noteTitle(item?.title ?? input.topics[0]?.title ?? 'Session without words');
}

/** The best sentences with one of the cues, in reading order. */
function bestOf(sentences: readonly Scored[], cues: readonly Cue[], most: number): readonly string[] {
  const fitting = sentences.filter(
    ({ text, row }) =>
      row.type === 'assistant' &&
      cues.some((cue) => hasCue(text, cue)) &&
      !isQuestion(text) &&
      !hasCue(text, 'narration') &&
      !hasCue(text, 'apology') &&
      !hasCue(text, 'next'),
  );
  return [...diverse(fitting, most)]
    .sort((a, b) => a.rowIndex - b.rowIndex || a.place - b.place)
    .map(({ text }) => shorten(text, 320));
}

function contentsOf(items: readonly StoredItem[], kinds: readonly ItemKind[], most: number): readonly string[] {
  return byImportance(items.filter(({ kind }) => kinds.includes(kind)))
    .slice(0, most)
    .map(({ content }) => shorten(plainText(content), 260));
}

function completedOf(input: SessionInput, sentences: readonly Scored[]): readonly string[] {
  const done = new Set<ItemKind>(['bugfix', 'feature', 'refactor', 'change', 'security']);
  const best = new Set(byImportance(input.items.filter(({ kind }) => done.has(kind))).slice(0, 6));
  const noted = input.items.filter((item) => best.has(item)).map(({ title }) => title);
  const claimed = diverse(
    sentences.filter(
      ({ row, text }) =>
        row.type === 'assistant' && hasCue(text, 'done') && !hasCue(text, 'pointing') && !isQuestion(text),
    ),
    3,
  );
  return [...noted, ...[...claimed].sort((a, b) => a.rowIndex - b.rowIndex).map(({ text }) => shorten(text, 240))];
}

/** What the user wants in general: it holds for later sessions too. */
function notesOf(sentences: readonly Scored[]): readonly string[] {
  const wishes = sentences.filter(
    ({ row, text }) =>
      row.type === 'user' && preferenceStrength(text) === 2 && !isQuestion(text) && !text.startsWith('('),
  );
  return [...diverse(wishes, 3)]
    .sort((a, b) => a.rowIndex - b.rowIndex)
    .map(({ text }) => `The user: "${shorten(text, 240)}"`);
}

function openWork(input: SessionInput): readonly CitedText[] {
  const last = input.prompts.findLast(({ type }) => type === 'assistant');
  const fromWords = last === undefined ? [] : actionItemsOf([last], sentencesOf([last]), MAX_ACTION_ITEMS);
  const fromTopics = input.topics.slice(-TOPICS_WITH_OPEN_WORK).flatMap(({ actionItems }) => actionItems);
  return withoutRepeats([...fromWords, ...fromTopics]).slice(0, MAX_ACTION_ITEMS);
}

function keyPointsOf(input: SessionInput): readonly CitedText[] {
  const pool = [
    ...input.items.map(({ content, evidence, importance }) => ({
      text: shorten(plainText(content), 320),
      evidence,
      score: importance + 0.2,
    })),
    ...input.topics.flatMap(({ keyPoints }) =>
      keyPoints.map(({ text, evidence }, index) => ({
        text,
        evidence,
        score: 0.7 - index * 0.05 + (hasCue(text, 'label') || hasCue(text, 'cause') ? 0.2 : 0),
      })),
    ),
  ].map((point) => ({ ...point, terms: termsOf(point.text) }));
  return diverse(
    pool.filter(({ evidence }) => evidence.length > 0),
    MAX_KEY_POINTS,
  ).map(({ text, evidence }) => ({ text, evidence }));
}

function byImportance<Item extends StoredItem>(items: readonly Item[]): readonly Item[] {
  return [...items].sort((a, b) => b.importance - a.importance);
}
