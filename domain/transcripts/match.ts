import type { PromptType } from '../capture/event.ts';

/** A stored prompt. */
export interface StoredPrompt {
  readonly rowId: string;
  readonly seq: number;
  readonly type: PromptType;
  readonly agentId: string | null;
  /** SHA-256 of its text, hex. */
  readonly sha256: string;
  readonly atMs: number;
  /** It has its own time, not the time of receipt. */
  readonly ownTime: boolean;
  /** Late hooks can duplicate a transcript's prompts, never the other way round. */
  readonly source: string;
  /** A transcript line is matched to it. */
  readonly taken: boolean;
  /** For transcript prompts: SHA-256 of all texts that a hook may send for it. */
  readonly hashes: readonly string[];
}

/** A prompt of a transcript. */
export interface ServedPrompt {
  readonly uuid: string;
  readonly type: PromptType;
  readonly agentId: string | null;
  readonly agentGuessed: boolean;
  /** SHA-256 of every text that a hook may send for it. */
  readonly hashes: readonly string[];
  readonly atMs: number | null;
  /** Time of the next user prompt; null without one. */
  readonly untilMs: number | null;
}

/** Most weighted pairs of one text; beyond that prompts are paired in order. */
const MAX_PAIRS = 40_000;
/** Largest distance between a prompt's hook and its line. */
const SAME_MOMENT_MS = 5_000;
/** Largest time by which an assistant's line may precede its hook. */
const BEFORE_MS = 2_000;
const UNTIL_MS = 60_000;
/** Largest distance of a late delivery with its own time. */
const DUPLICATE_MS = 120_000;
const UNKNOWN_DISTANCE_MS = 1e15;

interface Pair<Left, Right> {
  readonly left: Left;
  readonly right: Right;
  readonly distance: number;
}

/** Pairs the nearest first, each at most once. Every one of several equal texts finds a partner, however late it was delivered. */
function nearestFirst<Left, Right>(pairs: Pair<Left, Right>[]): [Left, Right][] {
  const joined: [Left, Right][] = [];
  const lefts = new Set<Left>();
  const rights = new Set<Right>();
  for (const { left, right } of pairs.sort((a, b) => a.distance - b.distance)) {
    if (lefts.has(left) || rights.has(right)) continue;
    lefts.add(left);
    rights.add(right);
    joined.push([left, right]);
  }
  return joined;
}

function sameSpeaker(served: ServedPrompt, stored: StoredPrompt): boolean {
  if (served.type !== stored.type) return false;
  return served.agentGuessed ? stored.agentId !== null : served.agentId === stored.agentId;
}

function distance(served: ServedPrompt, stored: StoredPrompt): number {
  return served.atMs === null ? UNKNOWN_DISTANCE_MS : Math.abs(served.atMs - stored.atMs);
}

function bySameText(
  served: readonly ServedPrompt[],
  stored: readonly StoredPrompt[],
): Pair<ServedPrompt, StoredPrompt>[] {
  const byHash = new Map<string, StoredPrompt[]>();
  for (const prompt of stored) {
    const same = byHash.get(prompt.sha256);
    if (same === undefined) byHash.set(prompt.sha256, [prompt]);
    else same.push(prompt);
  }
  const uses = new Map<string, number>();
  return served.flatMap((prompt) =>
    [...new Set(prompt.hashes)].flatMap((hash) => {
      const same = byHash.get(hash) ?? [];
      const nth = uses.get(hash) ?? 0;
      uses.set(hash, nth + 1);
      // A very frequent text: only neighbours by position are weighted, which bounds the work.
      const reach = Math.ceil(MAX_PAIRS / Math.max(served.length, 1));
      const near = same.length <= reach ? same : same.slice(Math.max(0, nth - reach), nth + reach);
      return near
        .filter((candidate) => sameSpeaker(prompt, candidate))
        .map((candidate) => ({ left: prompt, right: candidate, distance: distance(prompt, candidate) }));
    }),
  );
}

/** The host may render a text differently in its transcript: the same speaker at the same time is a match. */
function bySameMoment(
  served: readonly ServedPrompt[],
  stored: readonly StoredPrompt[],
): Pair<ServedPrompt, StoredPrompt>[] {
  return served.flatMap((prompt) => {
    const { atMs } = prompt;
    if (atMs === null) return [];
    const [from, to] =
      prompt.type === 'user'
        ? [atMs - SAME_MOMENT_MS, atMs + SAME_MOMENT_MS]
        : [atMs - BEFORE_MS, Math.min(prompt.untilMs ?? Infinity, atMs + UNTIL_MS)];
    return stored
      .filter((candidate) => sameSpeaker(prompt, candidate) && candidate.atMs >= from && candidate.atMs < to)
      .map((candidate) => ({ left: prompt, right: candidate, distance: distance(prompt, candidate) }));
  });
}

/**
 * Matches stored prompts to transcript lines: row ids by uuid. Unmatched lines were missed by hooks. Of one text, the unmatched lines never
 * exceed the transcript's surplus over the store, in whatever order hooks arrived.
 */
export function matchPrompts(
  served: readonly ServedPrompt[],
  stored: readonly StoredPrompt[],
): Map<string, StoredPrompt> {
  const free = stored.filter((prompt) => !prompt.taken && prompt.source !== 'transcript');
  const matched = new Map<string, StoredPrompt>();
  const taken = new Set<StoredPrompt>();
  const join = (pairs: Pair<ServedPrompt, StoredPrompt>[]) => {
    for (const [left, right] of nearestFirst(pairs)) {
      matched.set(left.uuid, right);
      taken.add(right);
    }
  };
  join(bySameText(served, free));
  join(
    bySameMoment(
      served.filter((prompt) => !matched.has(prompt.uuid)),
      free.filter((prompt) => !taken.has(prompt)),
    ),
  );
  return matched;
}

/** A late delivery of a prompt that a transcript already added. */
export interface Duplicate {
  /** The retained row: it was first, and may be summarised and quoted. */
  readonly keep: StoredPrompt;
  readonly drop: StoredPrompt;
}

/**
 * Returns prompts that are stored twice because a spool was drained after the transcript was read: the same text of the same speaker, at
 * the same time if the late one has its own. A repeated prompt is no duplicate: it matches its own line first.
 */
export function findDuplicates(stored: readonly StoredPrompt[]): Duplicate[] {
  const brought = stored.filter((prompt) => prompt.source === 'transcript');
  const late = stored.filter((prompt) => prompt.source !== 'transcript' && !prompt.taken);
  if (brought.length === 0 || late.length === 0) return [];
  const pairs = late.flatMap((drop) =>
    brought
      .filter((keep) => {
        if (keep.type !== drop.type || keep.seq > drop.seq) return false;
        if (keep.agentId !== drop.agentId && keep.agentId?.startsWith('sidechain-') !== true) return false;
        if (keep.sha256 !== drop.sha256 && !keep.hashes.includes(drop.sha256)) return false;
        return drop.ownTime ? Math.abs(keep.atMs - drop.atMs) <= DUPLICATE_MS : drop.source === 'spool';
      })
      .map((keep) => ({ left: keep, right: drop, distance: Math.abs(keep.atMs - drop.atMs) })),
  );
  return nearestFirst(pairs).map(([keep, drop]) => ({ keep, drop }));
}
