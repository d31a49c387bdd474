import type { HostEvent, CaptureSource, EventOwner } from '../capture/event.ts';
import type { TranscriptItem } from './items.ts';
import { matchPrompts } from './match.ts';
import type { StoredPrompt, ServedPrompt } from './match.ts';
import type { StoredBoundary, StoredSession } from './store.ts';
import { buildCaptureEvent, sha256Hex } from '../capture/build-event.ts';
import { translateHook } from '../capture/claude-code-hooks.ts';

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

/** An item of a transcript with its event. */
export interface PreparedItem {
  readonly item: TranscriptItem;
  readonly event: HostEvent;
  /** For prompts: SHA-256 of every text that a hook may send for it. */
  readonly hashes: readonly string[];
}

/** The decision for an item. */
export type Decision =
  | { readonly kind: 'capture'; readonly prepared: PreparedItem; readonly event: HostEvent }
  | { readonly kind: 'present'; readonly prepared: PreparedItem; readonly rowId: string | null }
  | { readonly kind: 'forgotten'; readonly prepared: PreparedItem };

const COMPACTION_MS = 10 * 60_000;
const AGENT_STOP_MS = 120_000;
const BEFORE_MS = 2_000;
const UNTIL_MS = 60_000;

function msOf(at: string | null): number | null {
  return at === null ? null : Date.parse(at);
}

function promptOf({ event }: PreparedItem): 'user' | 'assistant' | null {
  const part = event.parts.find((candidate) => candidate.kind === 'prompt');
  return part?.type === 'user' || part?.type === 'assistant' ? part.type : null;
}

function servedPrompts(prepared: readonly PreparedItem[]): ServedPrompt[] {
  const served: ServedPrompt[] = [];
  let untilMs: number | null = null;
  for (const entry of prepared.toReversed()) {
    const { item, hashes } = entry;
    const type = promptOf(entry);
    const atMs = msOf(item.at);
    if (type !== null)
      served.push({
        uuid: item.uuid,
        type,
        agentId: item.agentId,
        agentGuessed: item.agentGuessed,
        hashes,
        atMs,
        untilMs,
      });
    if (item.kind === 'user') untilMs = atMs;
  }
  return served.toReversed();
}

/** Finds and uses up a boundary that hooks stored. */
function takeBoundary(
  free: Set<StoredBoundary>,
  kind: StoredBoundary['kind'],
  agentId: string | null,
  fromMs: number,
  toMs: number,
): boolean {
  for (const boundary of free) {
    if (boundary.kind !== kind || boundary.agentId !== agentId || boundary.atMs < fromMs || boundary.atMs >= toMs)
      continue;
    free.delete(boundary);
    return true;
  }
  return false;
}

/** Returns boundaries without text: those right after a matched text arrived with it. */
function boundariesLeft(stored: StoredSession, matched: Iterable<StoredPrompt>): Set<StoredBoundary> {
  const served = stored.prompts.filter((prompt) => prompt.taken || prompt.source === 'transcript');
  const withWords = new Set([...matched, ...served].map((prompt) => prompt.seq + 1));
  return new Set(stored.boundaries.filter((boundary) => !withWords.has(boundary.seq)));
}

/** Removes the boundary of an event if a hook already stored it. */
function wordsAlone(event: HostEvent): HostEvent {
  return { ...event, parts: event.parts.filter((part) => part.kind === 'prompt') };
}

/**
 * Decides for every item whether it is stored already: tool calls and captured lines by key, prompts by text and position, boundaries by
 * kind and time.
 */
export function planItems(
  prepared: readonly PreparedItem[],
  stored: StoredSession | null,
  knownKeys: ReadonlySet<string>,
): Decision[] {
  const unknown = new Set(prepared.filter(({ item }) => !knownKeys.has(item.key)).map(({ item }) => item.uuid));
  const served = servedPrompts(prepared).filter((prompt) => unknown.has(prompt.uuid));
  const matched = stored === null ? new Map<string, StoredPrompt>() : matchPrompts(served, stored.prompts);
  const free = stored === null ? new Set<StoredBoundary>() : boundariesLeft(stored, matched.values());
  const has = (kind: StoredBoundary['kind'], agentId: string | null) =>
    stored?.boundaries.some((boundary) => boundary.kind === kind && boundary.agentId === agentId) === true;

  return prepared.map((entry): Decision => {
    const { item, event } = entry;
    const present = (rowId: string | null): Decision => ({ kind: 'present', prepared: entry, rowId });
    const capture = (wanted: HostEvent): Decision => ({ kind: 'capture', prepared: entry, event: wanted });
    if (knownKeys.has(item.key)) return present(null);
    const match = matched.get(item.uuid);
    if (match !== undefined && promptOf(entry) !== null) return present(match.rowId);
    const atMs = msOf(item.at) ?? 0;
    switch (item.kind) {
      case 'tool':
      case 'user':
        return capture(event);
      case 'start':
        return has('session_start', null) ? present(null) : capture(event);
      case 'agent_start':
        return has('subagent_start', item.agentId) ? present(null) : capture(event);
      case 'compaction':
        return takeBoundary(free, 'compaction', item.agentId, atMs - COMPACTION_MS, atMs + COMPACTION_MS)
          ? present(null)
          : capture(event);
      case 'agent_stop': {
        const known = takeBoundary(free, 'subagent_stop', item.agentId, atMs - AGENT_STOP_MS, atMs + AGENT_STOP_MS);
        if (!known) return capture(event);
        return promptOf(entry) === null ? present(null) : capture(wordsAlone(event));
      }
      case 'words':
        return takeBoundary(free, 'turn_end', null, atMs - BEFORE_MS, atMs + UNTIL_MS)
          ? capture(wordsAlone(event))
          : capture(event);
    }
  });
}
