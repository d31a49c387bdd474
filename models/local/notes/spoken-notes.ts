import type { ItemKind } from '../../../domain/ports/model.ts';
import { stopWordShare, wordCount } from '../../../domain/text/terms.ts';
import type { Candidate } from '../learnings/candidate.ts';
import { centrality } from '../centrality.ts';
import { changeKindOf, cite } from './notes.ts';
import { type Cue, hasCue, isCorrection, isQuestion, isThin, preferenceStrength } from '../learnings/cues.ts';
import type { Sentence } from '../segments.ts';

/** Names: code, a path, a number, a word in capitals or with a capital. */
const NAMES_SOMETHING =
  /`[^`]+`|[\w-]+[/.][\w-]{2,}|\d|\b[A-Z]{2,}|\b\w+_\w+|\b[a-z]+[A-Z]\w+|(?<=\S )\p{Lu}\p{Ll}{2,}|\p{Script=Han}/u;
/** English has a third or more of stop words; pasted output has few. */
const MIN_STOP_WORDS = 0.15;
const MIN_STOP_WORDS_IN_PASTE = 0.35;
const PASTED_LINES = 6;
const SPEAKS =
  /\b(?:i|i['’]\w+|we|we['’]\w+|you|you['’]\w+|my|me|our|us|your|let['’]?s|please|plz|don['’]?t|should\w*|must)\b|\p{Script=Han}/iu;
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
        value: worth,
        rowIndex: sentence.rowIndex,
        order: sentence.place,
        isFromUser: sentence.row.type === 'user',
      },
    ];
  });
}

/** Returns the worth of a user's sentence: more for wishes, corrections and decisions, less for questions and asides. */
export function worthOfUser({ row, text, terms, stated }: Sentence): number {
  if (stated === 'next' || isThin(text) || terms.length < 2 || isPasted(text, row.content)) return 0;
  const strength = preferenceStrength(text);
  const worth =
    0.65 +
    sizeWorth(terms) +
    cueWorth(USER_CUES, text) +
    (strength === 2 ? 0.9 : strength === 1 ? 0.3 : 0) +
    (stated === null ? 0 : 0.5) +
    (isCorrection(text) ? 0.5 : 0) -
    (/[:：]$/u.test(text) ? 0.4 : 0);
  const asks = isQuestion(text) || ATTENDS.test(text) ? 0.5 : 1;
  return Math.max(worth * asks * independence(text, true), LEAST_WORTH);
}

/** What a cue adds to the worth of the user's sentence. */
const USER_CUES: readonly (readonly [Cue, number])[] = [
  ['dislike', 0.8],
  ['decision', 0.8],
  ['config', 0.3],
  ['goal', 0.2],
  ['rule', 0.2],
  ['reason', 0.2],
];

/** Statements that need no name: what went wrong, and why. Weights were set on half A of the shared sessions. */
const AGENT_STATES: readonly (readonly [Cue, number])[] = [
  ['cause', 0.9],
  ['label', 0.6],
  ['security', 0.5],
];
/** What a cue adds to the worth of the assistant's sentence. */
const AGENT_CUES: readonly (readonly [Cue, number])[] = [
  ['done', 0.6],
  ['verdict', 0.4],
  ['fix', 0.3],
  ['rule', 0.2],
  ['probe', 0.2],
  ['apology', -0.4],
];

function cueWorth(cues: readonly (readonly [Cue, number])[], text: string): number {
  return cues.reduce((sum, [cue, worth]) => sum + (hasCue(text, cue) ? worth : 0), 0);
}

function worthOfAgent({ text, terms, stated }: Sentence, central: number): number {
  if (
    isQuestion(text) ||
    /[:：]$/u.test(text) ||
    hasCue(text, 'narration') ||
    stated === 'next' ||
    isThin(text) ||
    terms.length < 3
  )
    return 0;
  const worth = sizeWorth(terms) + 0.7 * central + cueWorth(AGENT_CUES, text) - (text.endsWith('!') ? 0.2 : 0);
  return worth * independence(text, false) + cueWorth(AGENT_STATES, text) + (stated === null ? 0 : 1.1);
}

/** A finite verb, a participle, or a verb of work. */
const PREDICATE =
  /\b(?:is|are|was|were|isn['’]t|aren['’]t|wasn['’]t|has|have|had|do|does|did|(?:do|does|did|ca|wo|should|must)n['’]t|can(?:not)?|must|should|will|needs?|never|always|(?:add|fix|remove|update|implement|use|make|run|keep|write|drop|rename|revert|move|replace|extract|convert|set|put|get|show|fail|read|return|call|pass|start|stop|work|test|check|want|prefer|like)s?|made|ran|kept|wrote|built|found|broke|lost|\p{L}{3,}(?:ed|ing|ifies|izes|ises))\b|\p{Script=Han}/iu;
/** Openings that need the sentence before. */
const DEPENDS =
  /^(?:it|its|this|that|these|those|they|them|so|or|and|but|because|which|then|also|here|there|yes|yeah|nah|oh|hmm|well|wait|w8|wow)\b|^(?:这|那|它|所以|但是?|而且|因为)/iu;
/** Subject, verb and object in a language with spaces. */
const LEAST_WORDS = 5;

/** What a reader without the conversation lacks, with the factor of the worth for the user's and for the assistant's words. */
const LACKS: readonly (readonly [(text: string) => boolean, ofUser: number, ofAgent: number])[] = [
  [(text) => isHeading(text), 0.3, 0.3],
  [(text) => !PREDICATE.test(text), 0.8, 0.5],
  [(text) => !NAMES_SOMETHING.test(text), 0.7, 0.45],
  [(text) => DEPENDS.test(text), 0.8, 0.5],
];

/** Returns the factor for what a reader understands without the conversation, 0–1. */
function independence(text: string, isFromUser: boolean): number {
  return LACKS.reduce(
    (factor, [lacks, ofUser, ofAgent]) => factor * (lacks(text) ? (isFromUser ? ofUser : ofAgent) : 1),
    1,
  );
}

/** Returns true for less than a sentence, and for "Revised Plan with Artifacts". */
function isHeading(text: string): boolean {
  const words = text.match(/\p{L}[\p{L}\p{N}'’]*/gu) ?? [];
  return (
    !/\p{Script=Han}/u.test(text) &&
    (wordCount(text) < LEAST_WORDS ||
      words.every((word) => /^(?:\p{Lu}|(?:with|and|of|for|to|the|a|in|on|as|vs)$)/u.test(word)))
  );
}

/** Demands to think, look or answer, and thanks: they say nothing of the work. */
const ATTENDS =
  /\b(?:think (?:\w+ )?hard(?:er)?|ultra ?think|show me|explain|tell me|reflect (?:on|further)|do you (?:understand|know|see)|what do you think|i hope you)\b|^(?:(?:please|ok(?:ay)?|yes|now|and),? )*(?:review|read|check|look at|continue|proceed|thanks?|thank you|good (?:progress|job|work)|well done)\b|^(?:谢谢|辛苦|继续|好的|请(?:看|检查|解释|说明))/iu;
/** Enough to name a session that has nothing better, too little for a note. */
const LEAST_WORTH = 0.1;

/** A statement with subject and object and a reason has about this many content words. */
const FULL_TERMS = 10;

function sizeWorth({ length }: readonly string[]): number {
  return Math.min(length, FULL_TERMS) / FULL_TERMS - 0.35;
}

/** Returns true for lines that the user pasted: in a long prompt only lines addressed to the agent count as the user's own. */
function isPasted(text: string, prompt: string): boolean {
  const share = stopWordShare(text);
  if ((prompt.match(/\n/gu)?.length ?? 0) < PASTED_LINES) return wordCount(text) >= 6 && share < MIN_STOP_WORDS;
  return share < MIN_STOP_WORDS_IN_PASTE || !(SPEAKS.test(text) || isQuestion(text));
}

function kindOf({ text, row, fragment, stated }: Sentence, hasWorked: boolean): ItemKind | null {
  if (isQuestion(text)) return null;
  if (hasCue(text, 'security')) return 'security';
  if (stated === 'decision' || stated === 'preference') return 'decision';
  if (row.type !== 'assistant' || fragment) return null;
  if (hasCue(text, 'cause')) return 'discovery';
  return hasWorked && hasCue(text, 'done') ? changeKindOf(text) : null;
}
