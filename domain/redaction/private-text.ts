import { CONTEXT_TAG } from '../context-tag.ts';

const PRIVATE = 'private';

/**
 * Tags whose content never reaches storage: what the user marked as private, what recall injected, and what a host or a hook puts into a
 * conversation by itself. What a user typed or chose stays, whatever tags the host puts around it: commands and their arguments, the
 * output of a shell, a selection in an editor.
 */
const REMOVED_TAGS = [
  { tag: PRIVATE, kind: 'private', leaves: '[private]' },
  { tag: CONTEXT_TAG, kind: 'injected', leaves: '' },
  { tag: 'claude-mem-context', kind: 'injected', leaves: '' },
  { tag: 'system-reminder', kind: 'injected', leaves: '' },
  { tag: 'user-prompt-submit-hook', kind: 'injected', leaves: '' },
  { tag: 'local-command-caveat', kind: 'injected', leaves: '' },
  { tag: 'ide_opened_file', kind: 'injected', leaves: '' },
  { tag: 'ide_diagnostics', kind: 'injected', leaves: '' },
  { tag: 'environment_context', kind: 'injected', leaves: '' },
] as const;

type Tag = (typeof REMOVED_TAGS)[number];

/** Names of the tags whose content capture removes. Rendering makes the same names inert in recalled text. */
export const REMOVED_TAG_NAMES: readonly string[] = REMOVED_TAGS.map(({ tag }) => tag);

/** A passage that a text begins or ends in. */
export interface OpenPassage {
  readonly tag: string;
  readonly depth: number;
  /** Private passages that were begun within one of another kind and not ended yet. */
  readonly inner?: number;
}

/**
 * What every text with such a tag holds. `private` is a word of many languages: it counts behind what a tag begins with alone, also where
 * that is written for JSON, HTML or an address, and with up to three blanks between.
 */
export const TAG_HINTS: readonly string[] = [
  ...['<', '/', '3c', '2f', 't;', '0;', 'c;', '7;', 'f;'].map((before) => `${before}private`),
  ...['<', '3c', 'lt;', '60;', '3c;'].flatMap((before) =>
    ['?', '??', '???'].map((blanks) => `${before}${blanks}private`),
  ),
  ...REMOVED_TAGS.flatMap(({ tag }) => (tag === PRIVATE ? [] : [tag])),
];

const NAMES = REMOVED_TAGS.map((entry) => entry.tag).join('|');
// An angle as it is, or written for JSON (also JSON inside JSON), HTML or an address.
const LESS = String.raw`(?:<|\\{1,8}(?:u003|x3)c|&(?:lt|#0{0,4}60|#x0{0,4}3c);|%3c)`;
const MORE = String.raw`(?:>|\\{1,8}(?:u003|x3)e|&(?:gt|#0{0,4}62|#x0{0,4}3e);|%3e)`;
const SLASH = String.raw`(?:\\{0,8}/|\\{1,8}u002f|&#(?:47|x2f);|%2f)`;
const SPACE = String.raw`(?:\s|\\{1,8}[nrt]|%20|\+)`;
const BLANKS = `${SPACE}{1,3}`;
/**
 * A closing tag, or an opening one, whose attributes may hold an angle: a closing one must not swallow an opening one. With blanks behind its
 * angle it has no attributes: a comparison is none.
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
  /** As a type is written that is the argument of another (`Local<Private>`). */
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

/** For the place of each tag, how many private passages end behind it that do not begin there. */
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

/** The passage of another kind with what a tag within it says of private ones. */
function withInner(open: OpenPassage, { tag, closing }: FoundTag): OpenPassage {
  return tag === PRIVATE ? { ...open, inner: Math.max(0, (open.inner ?? 0) + (closing ? -1 : 1)) } : open;
}

/**
 * Takes tagged passages out of a text, tags included. Pairs may nest; an opening tag that is never closed takes everything after
 * it, because leaking is worse than losing; a closing tag alone is dropped. A private passage that begins within another kind goes on behind
 * that one's end if it ends there; one that is only named there ends with it. Adds what it removed to `removed`, by kind.
 * `within` is the passage that the text begins in, `open` in the answer the one it ends in: blocks of one value follow each other.
 */
export function removeTaggedText(
  text: string,
  removed: Map<string, number>,
  within: OpenPassage | null = null,
): { readonly text: string; readonly open: OpenPassage | null } {
  const tags = tagsOf(text);
  const behind = endsBehind(tags);
  let kept = '';
  let position = 0;
  let open = within;
  for (const [at, found] of tags.entries()) {
    const { tag, closing } = found;
    const ends = behind[at] ?? 0;
    if (open === null) {
      if (found.likeCode && ends === 0) continue;
      kept += text.slice(position, found.start);
      position = found.end;
      if (closing) continue;
      open = { tag, depth: 1 };
      kept += noteRemoval(tag, removed);
    } else if (open.tag === tag) {
      const depth: number = open.depth + (closing ? -1 : 1);
      position = found.end;
      if (depth > 0) {
        open = { ...open, depth };
        continue;
      }
      const inner = Math.min(open.inner ?? 0, ends);
      open = inner === 0 ? null : { tag: PRIVATE, depth: inner };
      if (open !== null) kept += noteRemoval(PRIVATE, removed);
    } else if (open.tag !== PRIVATE) {
      open = withInner(open, found);
    }
  }
  return { text: open === null ? kept + text.slice(position) : kept, open };
}

/** A type named Private as the argument of another (`Local<Private>`) is code. */
function isWordCharacter(character: string | undefined): boolean {
  return character !== undefined && /\w/.test(character);
}

function noteRemoval(tag: string, removed: Map<string, number>): string {
  const entry: Tag | undefined = REMOVED_TAGS.find((candidate) => candidate.tag === tag);
  if (entry === undefined) return '';
  removed.set(entry.kind, (removed.get(entry.kind) ?? 0) + 1);
  return entry.leaves;
}
