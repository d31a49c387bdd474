import { CONTEXT_TAG } from '../recalled/recalled-block.ts';

const PRIVATE = 'private';

/**
 * Tags whose content is never stored: private passages, injected recall, and additions of hosts and hooks. The user's own input remains,
 * whatever host tags are around it: commands and their arguments, shell output, an editor selection.
 */
const REMOVED_TAGS = [
  { tag: PRIVATE, kind: 'private', leaves: '[private]' },
  { tag: CONTEXT_TAG, kind: 'injected', leaves: '' },
  { tag: 'claude-mem-context', kind: 'injected', leaves: '' },
  { tag: 'system-reminder', kind: 'injected', leaves: '' },
  { tag: 'user-prompt-submit-hook', kind: 'injected', leaves: '' },
  { tag: 'hook_context', kind: 'injected', leaves: '' },
  { tag: 'local-command-caveat', kind: 'injected', leaves: '' },
  { tag: 'ide_opened_file', kind: 'injected', leaves: '' },
  { tag: 'ide_diagnostics', kind: 'injected', leaves: '' },
  { tag: 'environment_context', kind: 'injected', leaves: '' },
] as const;

type Tag = (typeof REMOVED_TAGS)[number];

/** Names of the tags whose content capture removes. Rendering disarms the same names in recalled text. */
export const REMOVED_TAG_NAMES: readonly string[] = REMOVED_TAGS.map(({ tag }) => tag);

/** A passage that is open at the start or end of a text. */
export interface OpenPassage {
  readonly tag: string;
  readonly depth: number;
  /** Open private passages inside one of another kind. */
  readonly inner?: number;
}

/**
 * Texts of which every tagged text contains one. `private` is a common word: it counts only after the start of a tag, also in its JSON,
 * HTML or URL form, with up to three blanks between.
 */
export const TAG_HINTS: readonly string[] = [
  ...['<', '/', '3c', '2f', 't;', '0;', 'c;', '7;', 'f;'].map((before) => `${before}private`),
  ...['<', '3c', 'lt;', '60;', '3c;'].flatMap((before) =>
    ['?', '??', '???'].map((blanks) => `${before}${blanks}private`),
  ),
  ...REMOVED_TAGS.flatMap(({ tag }) => (tag === PRIVATE ? [] : [tag])),
];

const NAMES = REMOVED_TAGS.map((entry) => entry.tag).join('|');
// An angle bracket, plain or escaped for JSON (also nested), HTML or a URL.
const LESS = String.raw`(?:<|\\{1,8}(?:u003|x3)c|&(?:lt|#0{0,4}60|#x0{0,4}3c);|%3c)`;
const MORE = String.raw`(?:>|\\{1,8}(?:u003|x3)e|&(?:gt|#0{0,4}62|#x0{0,4}3e);|%3e)`;
const SLASH = String.raw`(?:\\{0,8}/|\\{1,8}u002f|&#(?:47|x2f);|%2f)`;
const SPACE = String.raw`(?:\s|\\{1,8}[nrt]|%20|\+)`;
const BLANKS = `${SPACE}{1,3}`;
/**
 * A closing tag, or an opening one whose attributes may contain an angle bracket: a closing tag must not swallow an opening one. After a
 * blank it has no attributes: that is a comparison.
 */
const ANY_TAG = new RegExp(
  `${LESS}(?:(?:${BLANKS})?${SLASH}(?:${BLANKS})?(${NAMES})(?:${SPACE}(?:(?!${LESS})[^<>]){0,200}?)?|(${NAMES})(?:${SPACE}[^<>]{0,500}?(?:<[^<>]{0,200}?){0,2})?|${BLANKS}(${NAMES})(?:${BLANKS})?)${MORE}`,
  'gi',
);

interface FoundTag {
  readonly start: number;
  readonly end: number;
  readonly tag: string;
  readonly closing: boolean;
  /** Written like a type argument (`Local<Private>`). */
  readonly likeCode: boolean;
}

function tagsOf(text: string): FoundTag[] {
  return Array.from(text.matchAll(ANY_TAG), (match) => {
    const opening = match[2] ?? match[3];
    return {
      start: match.index,
      end: match.index + match[0].length,
      tag: (match[1] ?? opening ?? '').toLowerCase(),
      closing: opening === undefined,
      likeCode: opening === 'Private' && isWordCharacter(text[match.index - 1]),
    };
  });
}

/** Counts for each tag the private passages that end after it without starting there. */
function endsBehind(tags: readonly FoundTag[]): number[] {
  const behind = Array.from({ length: tags.length }, () => 0);
  let ends = 0;
  for (let at = tags.length - 1; at >= 0; at -= 1) {
    behind[at] = ends;
    const found = tags[at];
    if (found?.tag === PRIVATE) ends = Math.max(0, ends + (found.closing ? 1 : -1));
  }
  return behind;
}

/** Returns the passage of another kind, updated by a private tag inside it. */
function withInner(open: OpenPassage, { tag, closing }: FoundTag): OpenPassage {
  return tag === PRIVATE ? { ...open, inner: Math.max(0, (open.inner ?? 0) + (closing ? -1 : 1)) } : open;
}

/**
 * Removes tagged passages from a text, tags included. Pairs may nest; an unclosed opening tag removes everything after it, because a leak
 * is worse than a loss; a lone closing tag is dropped. A private passage that starts inside another kind continues after that one's end if
 * it ends there; otherwise it ends with it. Counts removals in `removed` by kind. `within` is the passage open at the start, `open` in the
 * result the one open at the end: the blocks of one value are consecutive texts.
 */
export function removeTaggedText(
  text: string,
  removed: Map<string, number>,
  within: OpenPassage | null = null,
): { readonly text: string; readonly open: OpenPassage | null } {
  const tags = tagsOf(text);
  const behind = endsBehind(tags);
  let output = '';
  let position = 0;
  let open = within;
  for (const [at, found] of tags.entries()) {
    const { tag, closing } = found;
    const ends = behind[at] ?? 0;
    if (open === null) {
      if (found.likeCode && ends === 0) continue;
      output += text.slice(position, found.start);
      position = found.end;
      if (closing) continue;
      open = { tag, depth: 1 };
      output += noteRemoval(tag, removed);
    } else if (open.tag === tag) {
      const depth: number = open.depth + (closing ? -1 : 1);
      position = found.end;
      if (depth > 0) {
        open = { ...open, depth };
        continue;
      }
      const inner = Math.min(open.inner ?? 0, ends);
      open = inner === 0 ? null : { tag: PRIVATE, depth: inner };
      if (open !== null) output += noteRemoval(PRIVATE, removed);
    } else if (open.tag !== PRIVATE) {
      open = withInner(open, found);
    }
  }
  return { text: open === null ? output + text.slice(position) : output, open };
}

/** A type argument named Private (`Local<Private>`) is code. */
function isWordCharacter(character: string | undefined): boolean {
  return character !== undefined && /\w/.test(character);
}

function noteRemoval(tag: string, removed: Map<string, number>): string {
  const entry: Tag | undefined = REMOVED_TAGS.find((candidate) => candidate.tag === tag);
  if (entry === undefined) return '';
  removed.set(entry.kind, (removed.get(entry.kind) ?? 0) + 1);
  return entry.leaves;
}
