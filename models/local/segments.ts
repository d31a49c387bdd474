import type { SourceRow } from '../../domain/ports/model.ts';
import { splitBlocks } from '../../domain/text/blocks.ts';
import { capitalised, plainText, verbatimHead, verbatimTail } from '../../domain/text/clean.ts';
import { splitSentences } from '../../domain/text/sentences.ts';
import { stopWordShare, termsOf, wordCount } from '../../domain/text/terms.ts';
import { preferenceStrength } from './learnings/cues.ts';
import { statedIn } from './learnings/stated.ts';
import type { Stated } from './learnings/stated.ts';

/** One sentence of a prompt: a candidate for a summary. */
export interface Sentence {
  readonly row: SourceRow;
  /** Index of the row in the input. */
  readonly rowIndex: number;
  /** Position of the sentence in its row, 0 (first) to 1 (last). */
  readonly place: number;
  /** One clean line for people. */
  readonly text: string;
  /** Verbatim in `row.content`. */
  readonly quote: string;
  readonly terms: readonly string[];
  /** True for a list item or a heading, which often has no verb. */
  readonly fragment: boolean;
  /** What it states in so many words; null for other sentences. */
  readonly stated: Stated | null;
}

/** Of longer prompts only both ends are read: they are pasted logs. */
const MAX_PROMPT_CHARACTERS = 60_000;
const MAX_QUOTE_CHARACTERS = 600;
/** A user prompt up to this length is one thought, whatever its number of sentences. */
const MAX_WHOLE_CHARACTERS = 110;
/** Stop word share of a line that starts like code; prose that starts the same way has more. */
const MAX_CODE_STOP_WORDS = 0.25;
/** A command in prose without a fence: a lower-case program, and a sign that prose does not have. */
const SHELL_LINE =
  /^(?:\$ )?(?:rm|mv|cp|cd|ls|cat|git|gh|npm|npx|pnpm|yarn|node|uvx?|pip3?|pytest|python3?|ruff|source|sudo|brew|docker|make|cargo|go|curl|export|echo|mkdir|chmod|touch|grep|sed|find|which)\s(?=.*(?:\s-{1,2}\w|[/=*|>"]|\w\.\w|&&)|(?:\S+\s?){1,3}$)(?!.*[.!?]\s+\p{Lu})/u;

/** Openings without content ("Perfect!", "You're right,"): removed from the displayed text, not from the quote. */
const LEAD_IN =
  /^(?:(?:perfect|great|excellent|good|nice|okay|ok|sure|got it|done|so|well|ah|oh|yes|right|alright|thanks|awesome|indeed|now|and|but|also|then|however|in summary|summary|you(?:'|’)re (?:absolutely |completely |exactly )?right|i (?:understand|see))(?:[!.,:]| [-–—])+\s*)+/iu;

/** Interjections as sentences of their own before the first longer one: "No.", "Not yet!", "OK, Name." */
const INTERJECTIONS =
  /^(?:(?:no|nope|nah|not yet|wait|w8|hold on|yes|yep|ok(?:ay)?|thanks|thank you|great|perfect|good|hey|hi|hmm|wow|sorry|ah|oh|well)(?:,? \p{Lu}\p{L}+)?[.!?]+ )+(?=\S+ \S+ )/iu;

/** Returns the sentences of user and assistant prompts in order; without hidden instructions, code and tables. */
export function sentencesOf(rows: readonly SourceRow[]): readonly Sentence[] {
  return rows.flatMap((row, rowIndex) => (isSpoken(row) ? sentencesOfRow(row, rowIndex) : []));
}

/** Returns true for messages of the user or the assistant, manual notes included. */
function isSpoken(row: SourceRow): boolean {
  if (row.role === 'prompt') return row.type === 'user' || row.type === 'assistant';
  return row.tool === null;
}

function sentencesOfRow(row: SourceRow, rowIndex: number): readonly Sentence[] {
  const isUsers = row.type === 'user';
  const full = row.content.trim();
  // A rule within a longer text is a separate sentence: it lasts longer.
  if (isUsers && full.length <= MAX_WHOLE_CHARACTERS && !/```|\n\s*\n/u.test(full) && preferenceStrength(full) < 2) {
    const text = plainText(full).replace(INTERJECTIONS, '');
    return isProse(text, isUsers)
      ? [{ row, rowIndex, place: 0, text, quote: full, terms: termsOf(text), fragment: false, stated: statedIn(text) }]
      : [];
  }
  const found: { quote: string; fragment: boolean }[] = [];
  for (const part of readableParts(row.content)) {
    for (const block of splitBlocks(part)) {
      if (block.kind === 'code' || block.kind === 'table') continue;
      for (const span of splitSentences(part, block)) {
        found.push({
          quote: verbatimHead(part.slice(span.start, span.end), MAX_QUOTE_CHARACTERS),
          fragment: block.kind !== 'paragraph',
        });
      }
    }
  }
  return found.flatMap(({ quote, fragment }, index) => {
    // The user's words are shown unchanged.
    const text = isUsers ? plainText(quote) : withoutLeadIn(balanced(plainText(quote)));
    if (!isProse(text, isUsers)) return [];
    const place = found.length > 1 ? index / (found.length - 1) : 1;
    return [{ row, rowIndex, place, text, quote, terms: termsOf(text), fragment, stated: statedIn(text) }];
  });
}

function readableParts(content: string): readonly string[] {
  if (content.length <= MAX_PROMPT_CHARACTERS) return [content];
  return [verbatimHead(content, MAX_PROMPT_CHARACTERS / 2), verbatimTail(content, MAX_PROMPT_CHARACTERS / 2)];
}

/** Removes a bullet, and a quotation mark whose partner is in another sentence. */
function balanced(text: string): string {
  const plain = text.replace(/^[-–—•]\s+/u, '');
  const marks = plain.match(/"/gu)?.length ?? 0;
  return marks % 2 === 1 ? plain.replace(/^"|"(?=[.!?]?$)/u, '') : plain;
}

/** Removes openings without content and capitalises the rest. */
function withoutLeadIn(text: string): string {
  const rest = text
    .replace(LEAD_IN, '')
    .replace(/^(?:and|but|so)\s+(?!that\b)(?=\S+\s+\S)/iu, '')
    .trim();
  if (rest === '' || rest === text) return text;
  return capitalised(rest);
}

/** Prose with many figures still has this share of letters and spaces; code and tables of numbers have less. */
const MIN_LETTER_SHARE = 0.62;

/** Returns false for code, paths, log lines and fragments: prose has at least three words, and mostly letters. */
function isProse(text: string, isUsers: boolean): boolean {
  const words = wordCount(text);
  if (words < 3) return false;
  const letters = text.match(/[\p{L}\s]/gu)?.length ?? 0;
  if (letters / text.length < MIN_LETTER_SHARE) return false;
  if (
    !(isUsers && stopWordShare(text) >= MAX_CODE_STOP_WORDS) &&
    /^(?:[$>#%]|https?:|\/|\w+ ?[=({[]|import |from \S+ import|const |let [\w{[]+ ?=|def |class \w+[:({]|return |@)/u.test(
      text,
    )
  )
    return false;
  if (SHELL_LINE.test(text) || /[,{([;=]$/u.test(text) || /^"[^"]*":/u.test(text)) return false;
  return text.length / words < 22;
}
