import type { Evidence, ItemKind, SourceRow } from '../../../domain/ports/model.ts';
import { capitalised, plainText, shorten, stripAnsi, verbatimHead } from '../../../domain/text/clean.ts';
import type { Call } from '../calls.ts';
import type { Sentence } from '../segments.ts';
import { hasCue, isQuestion, isThin, preferenceStrength } from '../learnings/cues.ts';

/** Prohibitions and instructions for every time. */
const ORDERS =
  /^(?:(?:and|but|so|also|ok(?:ay)?|yes|no|w8|wait)[,.! ]+)*(?:please|plz)?,? ?(?:don['’]?t|do not|never|avoid|no need to|make sure|keep|stick (?:to|with)|be careful)\b(?! forget)|\byou (?:should(?:n['’]?t| not)|must(?:n['’]?t| not)?)\b|请(?:不要|勿|保持|使用)|不应该|应该/iu;

const MOMENTARY = /\b(?:yet|for now|right now|this time|today|tonight|first)\b|暂时|先不/iu;

/** Returns true for a lasting rule of the user. Such a sentence becomes a learning at the session's end, and so is excluded from topics. */
export function isLastingPreference({
  row,
  text,
  terms,
  stated,
}: Pick<Sentence, 'row' | 'text' | 'terms' | 'stated'>): boolean {
  return (
    row.type === 'user' &&
    !isQuestion(text) &&
    !isThin(text) &&
    terms.length >= 3 &&
    text.length <= 420 &&
    !text.startsWith('(') &&
    (stated === 'preference' ||
      preferenceStrength(text) === 2 ||
      hasCue(text, 'dislike') ||
      (ORDERS.test(text) && !MOMENTARY.test(text)))
  );
}

export const MAX_TITLE_CHARACTERS = 120;
const MAX_TAGS = 8;

const FIRST_PERSON =
  /^(?:(?:i|we)(?:['’]ve| have|['’]d| had)?|the (?:agent|assistant) has)\s+(?:(?:also|now|just|successfully|already|both|completely|carefully)\s+)*(?=(?:\w+ed|\w+lt|wrote|written|made|set|put|split|rewrote|chose|kept|found|built|ran|switched)\b)/iu;
const IMPERATIVE_PADDING =
  /^(?:please|can you|could you|would you|i(?:['’]d| would) like (?:you )?to|i want (?:you )?to|i need you to|let['’]?s|we need to|you (?:should|need to)|help me(?: to)?|ok(?:ay)?,?|so,?|and|now,?|then,?|(?:next|good|great|fine|nice|right|sure|yes|no),)\s+/iu;

const LABEL =
  /^(?:(?:the )?(?:\w+ )?(?:house |ground )?rules?\b[^.:]{0,80}|(?:the )?(?:decision|root cause|cause|note|fixed|(?:also )?open(?:, next time)?|proposal|reasons?|to-?do|next(?: steps?)?|summary|done|update|one trap|trap|caveat|hypothesis|决定|原因|根本原因))\s*[:：]\s*/iu;

/** Returns a sentence as the title of a note: no first person, no padding, no full stop, at most 120 characters. */
export function noteTitle(text: string): string {
  let title = plainText(text).replaceAll('`', '').trim().replace(LABEL, '').replace(FIRST_PERSON, '');
  for (let before = ''; before !== title;) {
    before = title;
    title = title.replace(IMPERATIVE_PADDING, '');
  }
  title = title.replace(/[\s.:;,!。：]+$/u, '').replace(/\s*[?？]+$/u, '?');
  return capitalised(shorten(firstClause(title), MAX_TITLE_CHARACTERS));
}

/** Cuts a long sentence at a clause, if the rest is still a title. */
function firstClause(title: string): string {
  if (title.length <= MAX_TITLE_CHARACTERS) return title;
  const clause = /^.{30,118}?(?=;|: | [-–—] |, (?:and|but|so|which|because|then|while)\b|。|，)/su.exec(title)?.[0];
  return clause ?? title;
}

/** Returns "`npm test`" for running text, truncated if long. */
export function codeOf(line: string): string {
  return `\`${shorten(plainText(line).replaceAll('`', ''), 80)}\``;
}

/** "a", "a and b", "a, b and 3 more". */
export function listed(names: readonly string[], most = 3): string {
  if (names.length > most) return `${names.slice(0, most - 1).join(', ')} and ${String(names.length - most + 1)} more`;
  return names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}

/** Returns a sentence with final punctuation. */
function asSentence(text: string): string {
  const trimmed = text.trim().replace(/[:：]$/u, '.');
  return trimmed === '' || /[.!?…。！？]["'”’)\]`]*$/u.test(trimmed) ? trimmed : `${trimmed}.`;
}

/** Joins sentences to a paragraph, with spaces in any script. */
export function paragraph(sentences: readonly string[]): string {
  return sentences
    .map(asSentence)
    .filter((sentence) => sentence !== '')
    .join(' ');
}

/** Returns the evidence of a sentence. */
export function cite(sentence: Sentence): Evidence {
  return { rowId: sentence.row.id, quote: sentence.quote };
}

/** Returns the evidence of a line of a row; none for an empty line. */
export function citeLine(row: SourceRow, line: string): readonly Evidence[] {
  return line.trim() !== '' && row.content.includes(line) ? [{ rowId: row.id, quote: line }] : [];
}

/** Returns evidence that an event happened: the first line of the row, usually the command or the file. */
export function citeRow(row: SourceRow): readonly Evidence[] {
  const line = row.content.split('\n').find((candidate) => candidate.trim() !== '') ?? '';
  return citeLine(row, verbatimHead(line.trim(), 200));
}

/** Removes duplicate evidence; at most `most` pieces. */
export function distinct(evidence: readonly Evidence[], most = 6): readonly Evidence[] {
  const seen = new Map(evidence.map((piece) => [`${piece.rowId} ${piece.quote}`, piece]));
  return [...seen.values()].slice(0, most);
}

const ERROR_NAME =
  /\b(?:TS\d{4,5}|E[A-Z]{4,}|[A-Z]\w+(?:Error|Exception)|E\d{4}|P\d{4}|[A-Z]{2,}-\d{2,}|SIG[A-Z]{3,})\b/gu;
const FILE_NAME =
  /\b[\w-]+\.(?:[cm]?[jt]sx?|py|rb|go|rs|java|kt|swift|c|cc|cpp|h|cs|php|sql|sh|toml|ya?ml|json|md|html|css|lock|ini|cfg|env|plist|prisma|proto|tf)\b/gu;

/** Returns a note's tags: error codes and names, file extensions, programs; lower case except for error names. */
export function tagsOf(texts: readonly string[], extra: readonly string[] = []): readonly string[] {
  const text = texts.join('\n');
  const errors = [...text.matchAll(ERROR_NAME)].map(([name]) => name);
  const extensions = [...text.matchAll(FILE_NAME)].map(([name]) => name.slice(name.lastIndexOf('.') + 1).toLowerCase());
  const tags = [
    ...errors,
    ...extra.map((tag) => tag.toLowerCase()).filter((tag) => /^[\w@.-]{2,40}$/u.test(tag)),
    ...extensions,
  ];
  return [...new Set(tags)].slice(0, MAX_TAGS);
}

/** Clamps a number to two bounds and rounds to two places. */
export function clamped(value: number, lowest: number, highest: number): number {
  return Math.round(Math.min(highest, Math.max(lowest, value)) * 100) / 100;
}

const REFACTOR =
  /\b(?:refactor\w*|renam\w+|extract\w*|mov(?:e|ed|ing)\b|simplif\w+|clean(?:ed|s|ing)?[- ]?up|restructur\w+|dedup\w+|reorgani[sz]\w+|streamlin\w+|inline[ds]?)\b|重构|リファクタ/iu;
const FEATURE =
  /\b(?:add(?:ed|s|ing)?|implement\w*|creat(?:e|ed|es|ing)|introduc\w+|support(?:s|ed)? for|new (?:command|feature|option|endpoint|page|flag|test|function|module|api))\b|实现|添加|新增|追加|実装/iu;

/** Returns the kind of work in a sentence by its verbs. */
export function changeKindOf(text: string): ItemKind {
  if (REFACTOR.test(text)) return 'refactor';
  return FEATURE.test(text) ? 'feature' : 'change';
}

/** Long enough for the subject, too short to repeat the note. */
const MAX_CHARACTERS = 48;

/** Returns a heading for a note: its first words, as a title. Empty only for an empty text. */
export function headingOf(terms: readonly string[], text: string): string {
  const heading = shorten(noteTitle(text), MAX_CHARACTERS);
  return heading === '' ? capitalised(shorten(terms[0] ?? text, MAX_CHARACTERS)) : heading;
}

/** Longer command lines are truncated. */
const MAX_COMMAND_CHARACTERS = 140;
/** Directory changes and environments before the command. */
const PREPARATION = /^(?:(?:cd|pushd|source|\.)\s+[^&|;\n]+(?:&&|;)\s*)+/u;

/** Returns the first line of a command without preparation, truncated if long. */
export function shownLine({ input }: Call): string {
  const typed = stripAnsi(input).replace(/^\$ /u, '').trim();
  const line = (typed.replace(PREPARATION, '') || typed).split('\n')[0] ?? '';
  return shorten(line.trim(), MAX_COMMAND_CHARACTERS).replaceAll('`', "'");
}
