import type { ItemKind } from '../../../domain/ports/model.ts';
import { stopWordShare, wordCount } from '../../../domain/text/terms.ts';
import type { Candidate } from '../learnings/candidate.ts';
import { centrality } from '../centrality.ts';
import { changeKindOf, cite } from './notes.ts';
import { hasCue, isCorrection, isProposal, isQuestion, isThin, preferenceStrength } from '../learnings/cues.ts';
import type { Sentence } from '../segments.ts';

/** Names: code, a path, a number, a word in capitals. */
const NAMES_SOMETHING = /`[^`]+`|[\w-]+[/.][\w-]{2,}|\d|\b[A-Z]{2,}|\b\w+_\w+|\b[a-z]+[A-Z]\w+/u;
/** English has a third or more of stop words; pasted output has few. */
const MIN_STOP_WORDS = 0.15;
const MIN_STOP_WORDS_IN_PASTE = 0.35;
const PASTED_LINES = 6;
const SPEAKS =
  /\b(?:i|i['’]\w+|we|we['’]\w+|you|you['’]\w+|my|me|our|us|your|let['’]?s|please|plz|don['’]?t|should\w*|must)\b|\p{Script=Han}/iu;
/** Completed work is worth more than passing remarks: readers of the topic look for it. */
const WORK: ReadonlySet<ItemKind> = new Set(['feature', 'refactor', 'change']);
const LONG_CHARACTERS = 240;
const MAX_TEXT_CHARACTERS = 420;

/** Returns a window's sentences with their worth. `edits` are the indexes of rows that changed files: claimed work needs one before it. */
export function spokenNotes(sentences: readonly Sentence[], edits: readonly number[]): readonly Candidate[] {
  const central = centrality(sentences.map(({ terms }) => terms));
  return sentences.flatMap((sentence, index) => {
    const worth = sentence.row.type === 'user' ? worthOfUser(sentence) : worthOfAgent(sentence, central[index] ?? 0);
    if (worth <= 0 || sentence.text.length > MAX_TEXT_CHARACTERS) return [];
    const kind = kindOf(
      sentence,
      edits.some((edit) => edit < sentence.rowIndex),
    );
    return [
      {
        place: kind === null ? ('narrative' as const) : ('item' as const),
        kind,
        title: '',
        text: sentence.text,
        evidence: [cite(sentence)],
        terms: sentence.terms,
        value: worth + (kind !== null && WORK.has(kind) ? 0.5 : 0),
        rowIndex: sentence.rowIndex,
        order: sentence.place,
        isFromUser: sentence.row.type === 'user',
      },
    ];
  });
}

/** Returns the worth of a user's sentence: 1 for a plain statement, more for requests, corrections, decisions and names, less for questions. */
export function worthOfUser({ row, text, terms, place }: Sentence): number {
  if (isThin(text) || terms.length < 2 || isPasted(text, row.content)) return 0;
  const strength = preferenceStrength(text);
  return (
    0.8 +
    (place === 0 ? 0.4 : 0) +
    (strength === 2 ? 1 : strength === 1 ? 0.6 : 0) +
    (hasCue(text, 'dislike') ? 0.6 : 0) +
    (isCorrection(text) ? 0.5 : 0) +
    (hasCue(text, 'decision') ? 0.4 : 0) +
    (hasCue(text, 'reason') ? 0.3 : 0) +
    (hasCue(text, 'rule') ? 0.3 : 0) +
    (hasCue(text, 'goal') ? 0.2 : 0) +
    (NAMES_SOMETHING.test(text) ? 0.3 : 0) -
    (isQuestion(text) && !isProposal(text) ? 0.3 : 0) -
    (terms.length < 3 ? 0.4 : 0) -
    (text.length > LONG_CHARACTERS ? 0.2 : 0) -
    (/[:：]$/u.test(text) ? 0.4 : 0)
  );
}

function worthOfAgent({ text, terms, place, fragment }: Sentence, central: number): number {
  if (isQuestion(text) || hasCue(text, 'narration') || hasCue(text, 'next') || isThin(text) || terms.length < 4)
    return 0;
  return (
    0.1 +
    (hasCue(text, 'cause') ? (fragment ? 0.5 : 1.1) : 0) +
    (hasCue(text, 'label') ? 0.6 : 0) +
    (hasCue(text, 'verdict') ? 0.4 : 0) +
    (hasCue(text, 'fix') ? 0.3 : 0) +
    (hasCue(text, 'probe') ? 0.3 : 0) +
    (hasCue(text, 'decision') && hasCue(text, 'reason') ? 0.7 : 0) +
    (hasCue(text, 'reason') ? 0.2 : 0) +
    (hasCue(text, 'security') ? 0.5 : 0) +
    (hasCue(text, 'done') && !fragment ? 0.3 : 0) +
    (NAMES_SOMETHING.test(text) ? 0.05 : 0) +
    0.2 * central +
    (place === 0 || place > 0.8 ? 0.2 : 0) -
    (hasCue(text, 'pointing') ? 0.15 : 0) -
    (hasCue(text, 'apology') ? 0.4 : 0) -
    (fragment ? 0.2 : 0) -
    (text.length > LONG_CHARACTERS ? 0.2 : 0)
  );
}

/** Returns true for lines that the user pasted: in a long prompt only lines addressed to the agent count as the user's own. */
function isPasted(text: string, prompt: string): boolean {
  const share = stopWordShare(text);
  if ((prompt.match(/\n/gu)?.length ?? 0) < PASTED_LINES) return wordCount(text) >= 6 && share < MIN_STOP_WORDS;
  return share < MIN_STOP_WORDS_IN_PASTE || !(SPEAKS.test(text) || isQuestion(text));
}

function kindOf({ text, row, fragment }: Sentence, hasWorked: boolean): ItemKind | null {
  if (isQuestion(text)) return null;
  if (hasCue(text, 'security')) return 'security';
  if (hasCue(text, 'decision') && (row.type === 'user' || hasCue(text, 'reason'))) return 'decision';
  if (row.type !== 'assistant' || fragment) return null;
  if (hasCue(text, 'cause')) return 'discovery';
  return hasWorked && hasCue(text, 'done') ? changeKindOf(text) : null;
}
