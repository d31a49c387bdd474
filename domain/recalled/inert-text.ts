import { readingOf } from './reading.ts';
import type { Reading } from './reading.ts';
import { REMOVED_TAG_NAMES } from '../redaction/private-text.ts';
import { CONTEXT_TAG } from './recalled-block.ts';

const ESCAPE = String.fromCodePoint(27);
/** Colour and cursor sequences (ESC [ … letter), and terminal titles and links (ESC ] … BEL or ESC \, at most to the line's end). */
const SEQUENCES = new RegExp(
  `${ESCAPE}(?:\\[[\\d;:?<=>]*[ -/]*[@-~]|\\][^\\u0007\\n${ESCAPE}]*(?:\\u0007|${ESCAPE}\\\\)?)`,
  'gu',
);
const LINE_ENDS = /\r\n?|[\u0085\u2028\u2029]/gu;
/**
 * Control characters except tabs and line feeds, and invisible characters: bidirectional controls, zero-width characters, variation
 * selectors, tag characters. Emoji lose their joiners and Persian its non-joiners, which is better than a text that differs from its look.
 */
const UNSEEN = /(?![\t\n])[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

/** Removes terminal sequences, control characters and invisible characters. */
export function visibleText(text: string): string {
  return text.replaceAll(SEQUENCES, '').replaceAll(LINE_ENDS, '\n').replaceAll(UNSEEN, '').toWellFormed();
}

/** Names of tags by which hosts, prompts and models mark speakers, tool calls and host messages. */
export const HARNESS_TAGS: readonly string[] = `
  system-prompt system-message system-instruction system-instructions developer-message
  session-start-hook post-tool-use-hook pre-tool-use-hook stop-hook hook-output
  command-name command-message command-args command-contents local-command-stdout local-command-stderr
  bash-input bash-stdout bash-stderr ide-selection task-notification environment-details
  user-query user-instructions user-message user-prompt custom-instructions
  function-call function-calls function-result function-results function-response
  tool-call tool-calls tool-use tool-result tool-results tool-response tool-outputs tool-use-error
  start-of-turn end-of-turn start-of-text end-of-text`
  .trim()
  .split(/\s+/u);

/** Single-word tag names, which programs also use. */
export const HARNESS_WORDS: readonly string[] = `
  system developer user human assistant tool tools function instruction instructions
  invoke parameter parameters arguments thinking think sys inst bos eos`
  .trim()
  .split(/\s+/u);

/** Separators between the parts of a name. */
const JOINT = String.raw`[\s._\\-]*`;
const loose = (name: string): string => name.split(/[-_]/u).join(JOINT);
/** Blanks (also escaped), slashes, and other characters at the start of a tag. */
const LEAD = String.raw`<([\s\\/+!?]*)(?:[a-z][a-z0-9_-]{0,20}:)?`;
const OWN = CONTEXT_TAG.replaceAll('-', '').split('').join(JOINT);
const NAMES = [...REMOVED_TAG_NAMES, ...HARNESS_TAGS].map(loose).join('|');
const TAG = new RegExp(
  String.raw`${LEAD}(?:${OWN}|(?:${NAMES})(?![a-z0-9_])|(${HARNESS_WORDS.join('|')})(?=[\s\\/>=:|"']|[_-]?$)|s(?=\s?>))`,
  'giu',
);
/** Special tokens of models, constructs with their own parser mode (a comment, CDATA, a declaration), and addresses that run code. */
const OPENING = /<(?:[\s\\]*\|[\s\\]*(?:[a-z0-9_/-]|$)|!(?:--|\[|doctype)|\s*(?:javascript|vbscript|data)\s*:)/giu;
const TAG_END = /[^<>\n]{0,80}>/uy;
const BRACKETED =
  /\[[\s\\/]*(?:inst|sys|system|system[ _]prompt|system[ _]message|available[ _]tools|tool[ _]calls?|tool[ _]results?|tool[ _]content|assistant|user|human)\s*\]/giu;
/** The next speaker at the start of a line, as transcripts and models write it. Keys of settings are in lower case. */
const TURN =
  /(?<=^|\n)[ \t>*#_-]{0,8}([Hh]uman|HUMAN|[Aa]ssistant|ASSISTANT|System|SYSTEM|User|USER|Developer|DEVELOPER)[ \t*_]{0,3}:/gu;
const HEADED_TURN = /(?<=^|\n)[ \t>]{0,8}#{1,6}[ \t]{0,3}(instructions?|response)[ \t*_]{0,3}:/giu;
/** A Markdown link or image to an external address, and the definition of one. */
const LINK = /\](?=\(\s*<?(?:[a-z][a-z0-9+.-]{1,20}:|\/\/))/giu;
const DEFINITION = /(?<=^|\n)[ \t>]{0,8}\[[^\]\n]{1,100}\](?=:\s{0,3}<?(?:[a-z][a-z0-9+.-]{1,20}:|\/\/))/giu;

const MAY_CONTAIN = /[<[\]]|(?:human|assistant|system|user|developer|instructions?|response)[ \t*_]{0,3}:/iu;

/** Replaces the characters of the reading from `from` up to `to`. */
interface Edit {
  readonly from: number;
  readonly to: number;
  readonly instead: string;
}

function endOf(text: string, from: number): Edit[] {
  TAG_END.lastIndex = from;
  if (!TAG_END.test(text)) return [];
  const end = TAG_END.lastIndex;
  return [{ from: end - 1, to: end, instead: ')' }];
}

/** Returns true for `Promise<User>`, a type argument, and `age < user / 2`, a comparison: code, not a tag. */
function isCode(text: string, { index, 0: found, 1: lead = '', 2: word }: RegExpExecArray): boolean {
  if (word === undefined) return false;
  const isType = found === `<${word}` && /^[A-Z][a-z]+$/.test(word) && /\w/.test(text.charAt(index - 1));
  const isCompared = /\s/.test(lead) && !lead.includes('/') && !/^[\s\\/]{0,8}>/.test(text.slice(index + found.length));
  return isType || isCompared;
}

function editsOf(text: string): Edit[] {
  const edits: Edit[] = [];
  const bracket = (from: number): Edit => ({ from, to: from + 1, instead: '(' });
  for (const match of text.matchAll(TAG))
    if (!isCode(text, match)) edits.push(bracket(match.index), ...endOf(text, match.index + match[0].length));
  for (const { index, 0: found } of text.matchAll(OPENING))
    edits.push(bracket(index), ...endOf(text, index + found.length));
  for (const { index, 0: found } of text.matchAll(BRACKETED))
    edits.push(bracket(index), { from: index + found.length - 1, to: index + found.length, instead: ')' });
  for (const pattern of [TURN, HEADED_TURN])
    for (const match of text.matchAll(pattern)) {
      const from = match.index + match[0].lastIndexOf(match[1] ?? '');
      const to = from + (match[1] ?? '').length;
      edits.push({ from, to: from, instead: '(' }, { from: to, to, instead: ')' });
    }
  for (const pattern of [LINK, DEFINITION])
    for (const { index, 0: found } of text.matchAll(pattern))
      edits.push({ from: index + found.length, to: index + found.length, instead: ' ' });
  return edits.sort((one, other) => one.from - other.from || one.to - other.to);
}

function edited(text: string, reading: Reading): string {
  let output = '';
  let at = 0;
  for (const { from, to, instead } of editsOf(reading.text)) {
    const start = reading.placeOf(from);
    if (start < at) continue;
    output += text.slice(at, start) + instead;
    at = reading.placeOf(to);
  }
  return output + text.slice(at);
}

/**
 * Returns recalled text that is safe to quote to a model: brackets that could be read as the end of a block, a host tag, a tool call, a turn of a
 * conversation or a special token become round, Markdown links are disabled, invisible characters are removed. Readable as before,
 * idempotent, and linear in the text. Stored text is unchanged.
 */
export function inertText(text: string): string {
  const visible = visibleText(text);
  const reading = readingOf(visible);
  return MAY_CONTAIN.test(reading.text) ? edited(visible, reading) : visible;
}
