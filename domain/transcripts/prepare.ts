import { buildCaptureEvent, sha256Hex } from '../capture/build-event.ts';
import { translateHook } from '../capture/claude-code-hooks.ts';
import type { CaptureSource, EventOwner, HostEvent } from '../capture/event.ts';
import type { TranscriptItem } from './items.ts';
import type { PreparedItem } from './plan.ts';

interface Hashed {
  /** Hashes of the stored text, with and without surrounding blanks, which a removed passage leaves. */
  readonly hashes: readonly string[];
  /** Redaction removed everything. */
  readonly blank: boolean;
}

/** Returns the hashes of a prompt's text; null for an event without one. */
function hashedPrompt(event: HostEvent, owner: EventOwner): Hashed | null {
  if (!event.parts.some(({ kind }) => kind === 'prompt')) return null;
  for (const row of buildCaptureEvent({ ...event, project: null, metadata: null }, owner, new Date(0)).rows) {
    if (row.kind !== 'prompt') continue;
    const trimmed = row.content.trim();
    const hashes = trimmed === row.content ? [row.sha256] : [row.sha256, sha256Hex(trimmed)];
    return { hashes, blank: trimmed === '' };
  }
  return null;
}

function withText(event: HostEvent, content: string): HostEvent {
  return { ...event, parts: event.parts.map((part) => (part.kind === 'prompt' ? { ...part, content } : part)) };
}

/** Returns an item as the event of its hook, with every hash that may identify its text; null if there is nothing to store. */
export function prepareItem(item: TranscriptItem, owner: EventOwner, source: CaptureSource): PreparedItem | null {
  const event = translateHook(item.hook, item.payload, item.key);
  if (event === null) return null;
  const marked: HostEvent = { ...event, source };
  const own = hashedPrompt(marked, owner);
  if (own === null) return { item, event: marked, hashes: [] };
  if (own.blank) return null;
  const others = item.alternatives.flatMap((text) => {
    const other = text === '' ? null : hashedPrompt(withText(marked, text), owner);
    return other === null || other.blank ? [] : other.hashes;
  });
  return { item, event: marked, hashes: [...new Set([...own.hashes, ...others])] };
}
