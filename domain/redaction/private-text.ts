import { CONTEXT_TAG } from '../context-tag.ts';

/** Tags whose content never reaches storage: what the user marked as private, what recall injected, what the host reminds its model of. */
const REMOVED_TAGS = [
  { tag: 'private', kind: 'private', leaves: '[private]' },
  { tag: CONTEXT_TAG, kind: 'injected', leaves: '' },
  { tag: 'system-reminder', kind: 'injected', leaves: '' },
] as const;

const NAMES = REMOVED_TAGS.map((entry) => entry.tag).join('|');
/** A closing tag, or an opening one, whose attributes may hold an angle bracket: a closing one must not swallow an opening one. */
const ANY_TAG = new RegExp(
  `<(?:/(${NAMES})(?:\\s[^<>]{0,200})?|(${NAMES})(?:\\s[^<>]{0,500}(?:<[^<>]{0,200}){0,2})?)>`,
  'gi',
);

/**
 * Takes tagged passages out of a text, tags included. Pairs may nest; an opening tag that is never closed takes everything after
 * it, because leaking is worse than losing; a closing tag alone is dropped. Adds what it removed to `removed`, by kind.
 */
export function removeTaggedText(text: string, removed: Map<string, number>): string {
  if (!text.includes('<')) return text;
  let kept = '';
  let position = 0;
  let open: { tag: string; depth: number } | null = null;
  for (const match of text.matchAll(ANY_TAG)) {
    const closing = match[1] !== undefined;
    const tag = (match[1] ?? match[2] ?? '').toLowerCase();
    if (open === null) {
      kept += text.slice(position, match.index);
      if (closing) {
        position = match.index + match[0].length;
        continue;
      }
      open = { tag, depth: 1 };
      kept += noteRemoval(tag, removed);
    } else if (open.tag === tag) {
      open.depth += closing ? -1 : 1;
      if (open.depth === 0) {
        open = null;
        position = match.index + match[0].length;
      }
    }
  }
  return open === null ? kept + text.slice(position) : kept;
}

function noteRemoval(tag: string, removed: Map<string, number>): string {
  const entry = REMOVED_TAGS.find((candidate) => candidate.tag === tag);
  if (entry === undefined) return '';
  removed.set(entry.kind, (removed.get(entry.kind) ?? 0) + 1);
  return entry.leaves;
}
