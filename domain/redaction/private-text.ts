import { CONTEXT_TAG } from '../context-tag.ts';

/**
 * Tags whose content never reaches storage: what the user marked as private, what recall injected, and what a host or a hook puts into a
 * conversation by itself. What a user typed or chose stays, whatever tags the host puts around it: commands and their arguments, the
 * output of a shell, a selection in an editor.
 */
const REMOVED_TAGS = [
  { tag: 'private', kind: 'private', leaves: '[private]' },
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

/** A passage that a text begins or ends in. */
export interface OpenPassage {
  readonly tag: string;
  readonly depth: number;
}

/**
 * What every text with such a tag holds. `private` is a word of many languages: it counts behind what a tag begins with alone, also where
 * that is written for JSON, HTML or an address.
 */
export const TAG_HINTS: readonly string[] = [
  ...['<', '/', '3c', '2f', 't;', '0;', 'c;', '7;', 'f;'].map((before) => `${before}private`),
  ...REMOVED_TAGS.flatMap(({ tag }) => (tag === 'private' ? [] : [tag])),
];

const NAMES = REMOVED_TAGS.map((entry) => entry.tag).join('|');
// An angle as it is, or written for JSON (also JSON inside JSON), HTML or an address.
const LESS = String.raw`(?:<|\\{1,8}(?:u003|x3)c|&(?:lt|#0{0,4}60|#x0{0,4}3c);|%3c)`;
const MORE = String.raw`(?:>|\\{1,8}(?:u003|x3)e|&(?:gt|#0{0,4}62|#x0{0,4}3e);|%3e)`;
const SLASH = String.raw`(?:\\{0,8}/|\\{1,8}u002f|&#(?:47|x2f);|%2f)`;
const SPACE = String.raw`(?:\s|\\{1,8}[nrt]|%20|\+)`;
/** A closing tag, or an opening one, whose attributes may hold an angle: a closing one must not swallow an opening one. */
const ANY_TAG = new RegExp(
  `${LESS}(?:${SLASH}(${NAMES})(?:${SPACE}(?:(?!${LESS})[^<>]){0,200}?)?|(${NAMES})(?:${SPACE}[^<>]{0,500}?(?:<[^<>]{0,200}?){0,2})?)${MORE}`,
  'gi',
);

/**
 * Takes tagged passages out of a text, tags included. Pairs may nest; an opening tag that is never closed takes everything after
 * it, because leaking is worse than losing; a closing tag alone is dropped. Adds what it removed to `removed`, by kind.
 * `within` is the passage that the text begins in, `open` in the answer the one it ends in: blocks of one value follow each other.
 */
export function removeTaggedText(
  text: string,
  removed: Map<string, number>,
  within: OpenPassage | null = null,
): { readonly text: string; readonly open: OpenPassage | null } {
  let kept = '';
  let position = 0;
  let open = within;
  for (const match of text.matchAll(ANY_TAG)) {
    const closing = match[1] !== undefined;
    if (open === null && match[2] === 'Private' && isWordCharacter(text[match.index - 1])) continue;
    const tag = (match[1] ?? match[2] ?? '').toLowerCase();
    if (open === null) {
      kept += text.slice(position, match.index);
      position = match.index + match[0].length;
      if (closing) continue;
      open = { tag, depth: 1 };
      kept += noteRemoval(tag, removed);
    } else if (open.tag === tag) {
      const depth: number = open.depth + (closing ? -1 : 1);
      open = depth === 0 ? null : { tag, depth };
      position = match.index + match[0].length;
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
