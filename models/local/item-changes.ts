import type { ItemKind, SourceRow } from '../../domain/ports/model.ts';
import { shorten } from '../../domain/text/clean.ts';
import { overlap, termsOf } from '../../domain/text/terms.ts';
import type { Call } from './calls.ts';
import { hasCue, isQuestion, isThin } from './cues.ts';
import type { PlacedItem } from './items.ts';
import {
  MAX_TITLE_CHARACTERS,
  cite,
  citeRow,
  clamped,
  distinct,
  listed,
  noteTitle,
  paragraph,
  tagsOf,
} from './notes.ts';
import { scored } from './ranking.ts';
import { changedFiles, isTestFirst, repairsOf } from './repairs.ts';
import { requestOf } from './requests.ts';
import type { Sentence } from './segments.ts';
import { type Turn, turnsOf } from './turns.ts';

const REFACTOR =
  /\b(?:refactor\w*|renam\w+|extract\w*|mov(?:e|ed|ing)\b|simplif\w+|clean(?:ed|s|ing)?[- ]?up|restructur\w+|dedup\w+|reorgani[sz]\w+|streamlin\w+|inline[ds]?)\b|重构|リファクタ/iu;
const FEATURE =
  /\b(?:add(?:ed|s|ing)?|implement\w*|creat(?:e|ed|es|ing)|introduc\w+|support(?:s|ed)? for|new (?:command|feature|option|endpoint|page|flag|test|function|module|api))\b|实现|添加|新增|追加|実装/iu;
const PLAIN_FILE = /\.(?:md|txt|rst|toml|ya?ml|json|lock|ini|cfg|gitignore)$|^\./iu;

/** One note for each turn that changed files for another reason than a bug: feature, refactor or change. */
export function changeItems(
  rows: readonly SourceRow[],
  sentences: readonly Sentence[],
  calls: readonly Call[],
): readonly PlacedItem[] {
  const forBugs = new Set(
    repairsOf(calls)
      .filter((repair) => repair.edits.length > 0 && !isTestFirst(repair, calls))
      .flatMap(({ edits, wrongEdits }) => [...edits, ...wrongEdits]),
  );
  return turnsOf(rows, sentences, calls).flatMap((turn) => {
    const edits = turn.calls.filter((call) => call.edits && !forBugs.has(call));
    const [first] = edits;
    return first === undefined ? [] : changeItem(turn, [first, ...edits.slice(1)]);
  });
}

function changeItem(turn: Turn, edits: readonly [Call, ...Call[]]): readonly PlacedItem[] {
  const files = changedFiles(edits);
  const wishes = scored(turn.asked).filter(
    ({ text }) => !isThin(text) && (hasCue(text, 'goal') || (hasCue(text, 'label') && !hasCue(text, 'rule'))),
  );
  const request = requestOf(wishes);
  const done = completionOf(turn.said, [...files, request?.text ?? '']);
  const told = done ?? request;
  // Files alone make no note: which files changed is kept with the session, from the tool inputs.
  if (told === undefined) return [];
  const kind = kindOf([done?.text ?? '', request?.text ?? ''], files);
  const [first] = edits;
  return [
    {
      rowIndex: first.rowIndex,
      kind,
      title: done === undefined ? changeTitle(files, told.text) : noteTitle(told.text),
      content: paragraph([
        ...(request && done ? [`Asked: "${shorten(request.text, 200)}"`] : []),
        told.text,
        ...(files.length > 0 ? [`Changed ${listed(files, 6)}`] : []),
      ]),
      tags: tagsOf([told.text, ...files]),
      importance: clamped(base(kind) + Math.min(files.length, 5) * 0.02, 0, 0.8),
      evidence: distinct([
        ...(done ? [cite(done)] : []),
        ...(request ? [cite(request)] : []),
        ...edits.slice(0, 4).flatMap(({ row }) => citeRow(row)),
      ]),
    },
  ];
}

/** "Changed a.ts: what was asked": nobody said what came of it. */
function changeTitle(files: readonly string[], asked: string): string {
  if (files.length === 0) return noteTitle(asked);
  const names = listed(files, 2);
  const changed = `Changed ${names.length > 60 ? `${String(files.length)} files` : names}: `;
  return changed + shorten(noteTitle(asked), MAX_TITLE_CHARACTERS - changed.length);
}

/** The sentence in which the assistant says what it has done, nearest to the files and the request. */
function completionOf(said: readonly Sentence[], about: readonly string[]): Sentence | undefined {
  const terms = termsOf(about.join(' '));
  let best: { sentence: Sentence; score: number } | undefined;
  for (const sentence of said) {
    if (!hasCue(sentence.text, 'done') || isQuestion(sentence.text) || sentence.text.length < 25) continue;
    const score =
      overlap(sentence.terms, terms) +
      0.3 * sentence.place +
      (sentence.fragment ? -0.2 : 0) +
      (hasCue(sentence.text, 'pointing') ? -0.5 : 0);
    if (score >= 0 && (best === undefined || score >= best.score)) best = { sentence, score };
  }
  return best?.sentence;
}

function kindOf(words: readonly string[], files: readonly string[]): ItemKind {
  const onlyPlain = files.length > 0 && files.every((file) => PLAIN_FILE.test(file));
  for (const text of words) {
    if (text === '') continue;
    if (REFACTOR.test(text)) return 'refactor';
    if (FEATURE.test(text)) return onlyPlain ? 'change' : 'feature';
  }
  return 'change';
}

function base(kind: ItemKind): number {
  return kind === 'feature' ? 0.6 : kind === 'refactor' ? 0.5 : 0.4;
}
