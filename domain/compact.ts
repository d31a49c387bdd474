import { memoryHash } from './memory.ts';
import type { Memory } from './memory.ts';
import { inertText } from './recalled/inert-text.ts';

/** A memory as an agent is shown it first: enough to decide whether to fetch it whole, by its hash. */
export interface CompactMemory {
  readonly hash: string;
  /** At most 200 characters and 32 o200k tokens, cut at a word. */
  readonly preview: string;
  /** At most three. */
  readonly tags: readonly string[];
  /** The day on which it happened, `YYYY-MM-DD`, UTC. */
  readonly created: string;
  /** Two decimals; left out where nothing was scored. */
  readonly score?: number;
}

/** Counts o200k tokens. */
export type CountTokens = (text: string) => number;

const MAX_PREVIEW_CHARACTERS = 200;
const MAX_PREVIEW_TOKENS = 32;
const MAX_TAGS = 3;
/** Of a memory as JSON: five of them and the block in which MCP gives them stay within 385 tokens. */
const MAX_ITEM_TOKENS = 70;
const ELLIPSIS = '…';
/** Behind these a text may be cut: blanks, and characters of scripts that are written without them. */
const WORD_END = /\s|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}]/u;

/** Title and content in one line; a title that the content repeats is left out. */
function lineOf({ title, content }: Pick<Memory, 'title' | 'content'>): string {
  // What a preview cannot show is not looked at: a content can hold 64 KiB.
  const flat = (text: string) =>
    inertText(text.slice(0, MAX_PREVIEW_CHARACTERS * 4))
      .replaceAll(/\s+/gu, ' ')
      .trim();
  const [head, body] = [flat(title), flat(content)];
  if (head === '' || body === '') return head + body;
  return body.startsWith(head.replace(/…$/u, '')) ? body : inertText(`${head}: ${body}`);
}

/** Places at which a line may be cut, the furthest last. A single long word is cut where it must be. */
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

/** The longest beginning of the line within both bounds, cut at a word and then marked as cut; '' where not even a character fits. */
function shortened(line: string, count: CountTokens, maxTokens: number): string {
  if (line.length <= MAX_PREVIEW_CHARACTERS && count(line) <= maxTokens) return line;
  const cuts = cutsOf(line, MAX_PREVIEW_CHARACTERS - ELLIPSIS.length);
  const textAt = (place: number) => `${line.slice(0, cuts[place]).trimEnd()}${ELLIPSIS}`;
  // Longer beginnings have more tokens, but for what merges at the very end: the last steps are checked one by one.
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
 * The short form of a memory, inert and at most 70 o200k tokens as JSON: where tags, or what JSON escapes, would go beyond, tags are left out from
 * the last on and the preview is cut shorter.
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
