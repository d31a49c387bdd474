import { memoryHash } from './memory.ts';
import type { Memory } from './memory.ts';
import { inertText } from './recalled/inert-text.ts';

/** The compact form of a memory for agents: enough to decide whether to fetch it by hash. */
export interface CompactMemory {
  readonly hash: string;
  /** At most 200 characters and 32 o200k tokens, cut at a word. */
  readonly preview: string;
  /** At most three. */
  readonly tags: readonly string[];
  /** The day on which it happened, `YYYY-MM-DD`, UTC. */
  readonly created: string;
  /** Two decimals; absent without a score. */
  readonly score?: number;
}

/** Counts o200k tokens. */
export type CountTokens = (text: string) => number;

const MAX_PREVIEW_CHARACTERS = 200;
const MAX_PREVIEW_TOKENS = 32;
const MAX_TAGS = 3;
/** Of a memory as JSON: five of them with MCP's envelope need at most 385 tokens. */
const MAX_ITEM_TOKENS = 70;
const ELLIPSIS = '…';
/** A text may be cut after these: blanks, and characters of scripts without spaces. */
const WORD_END = /\s|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u;

/** Returns title and content in one line; omits a title that the content repeats. */
function lineOf({ title, content }: Pick<Memory, 'title' | 'content'>): string {
  // Only the part that a preview can show: a content has up to 64 KiB.
  const flat = (text: string) =>
    inertText(text.slice(0, MAX_PREVIEW_CHARACTERS * 4))
      .replaceAll(/\s+/gu, ' ')
      .trim();
  const [head, body] = [flat(title), flat(content)];
  if (head === '' || body === '') return head + body;
  return body.startsWith(head.replace(/…$/u, '')) ? body : inertText(`${head}: ${body}`);
}

/** Returns the possible cut positions of a line, ascending. A single long word is cut anywhere. */
function cutsOf(line: string, most: number): number[] {
  const places: number[] = [];
  const anywhere: number[] = [];
  let at = 0;
  for (const character of line) {
    if (at > most) break;
    if (at > 0) anywhere.push(at);
    if (at > 0 && (WORD_END.test(character) || WORD_END.test(line.charAt(at - 1)))) places.push(at);
    at += character.length;
  }
  const furthest = places.at(-1) ?? 0;
  return furthest > most / 4 ? places : anywhere;
}

/** Returns the longest prefix of the line within both bounds, cut at a word and marked as cut; '' if not even a character fits. */
function shortened(line: string, count: CountTokens, maxTokens: number): string {
  if (line.length <= MAX_PREVIEW_CHARACTERS && count(line) <= maxTokens) return line;
  const cuts = cutsOf(line, MAX_PREVIEW_CHARACTERS - ELLIPSIS.length);
  const textAt = (place: number) => `${line.slice(0, cuts[place]).trimEnd()}${ELLIPSIS}`;
  // Longer prefixes have more tokens, except for merges at the very end: the last steps are checked one by one.
  let low = 0;
  let high = cuts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (count(textAt(middle)) <= maxTokens) low = middle + 1;
    else high = middle;
  }
  for (let place = low - 1; place >= 0; place -= 1) {
    const text = textAt(place);
    if (count(text) <= maxTokens) return text;
  }
  return '';
}

/**
 * Returns the compact form of a memory, inert and at most 70 o200k tokens as JSON: if tags or JSON escapes exceed that, tags are dropped
 * from the last on, then the preview is shortened.
 */
export function compactMemory(
  memory: Pick<Memory, 'id' | 'title' | 'content' | 'tags' | 'occurredAt'>,
  score: number | null,
  count: CountTokens,
): CompactMemory {
  const line = lineOf(memory);
  const tags = memory.tags.slice(0, MAX_TAGS).map((tag) => inertText(tag).replaceAll(/\s+/gu, ' ').trim());
  let previewTokens = MAX_PREVIEW_TOKENS;
  for (;;) {
    const compact: CompactMemory = {
      hash: memoryHash(memory.id),
      preview: shortened(line, count, previewTokens),
      tags: [...tags],
      created: memory.occurredAt.slice(0, memory.occurredAt.indexOf('T')),
      ...(score === null ? {} : { score: Math.round(score * 100) / 100 }),
    };
    const over = count(JSON.stringify(compact)) - MAX_ITEM_TOKENS;
    if (over <= 0 || previewTokens <= 0) return compact;
    if (tags.length > 0) tags.pop();
    else previewTokens -= Math.min(over, previewTokens);
  }
}
