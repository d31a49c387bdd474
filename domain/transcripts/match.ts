import type { PromptType } from '../capture/event.ts';

/** A prompt that the store has. */
export interface StoredPrompt {
  readonly rowId: string;
  readonly seq: number;
  readonly type: PromptType;
  readonly agentId: string | null;
  /** SHA-256 of its text, hex. */
  readonly sha256: string;
  readonly atMs: number;
  /** It brought a time of its own; else its time is that of receipt. */
  readonly ownTime: boolean;
  /** Which way it came: a transcript's are doubled by what hooks deliver late, never the other way round. */
  readonly source: string;
  /** A line of a transcript is known to say it. */
  readonly taken: boolean;
  /** SHA-256 of all texts that a hook may give for it, of those that a transcript brought. */
  readonly hashes: readonly string[];
}

/** A prompt that a transcript has. */
export interface ServedPrompt {
  readonly uuid: string;
  readonly type: PromptType;
  readonly agentId: string | null;
  readonly agentGuessed: boolean;
  /** SHA-256 of every text that a hook may give for it. */
  readonly hashes: readonly string[];
  readonly atMs: number | null;
  /** When the next prompt of a person came; null when none did. */
  readonly untilMs: number | null;
}

/** Pairs of one text that are weighed; more of them than that are paired in order. */
const MAX_PAIRS = 40_000;
/** The hook of a prompt and its line are written at the same moment. */
const SAME_MOMENT_MS = 5_000;
/** An assistant's line is written a little before or after the hook that tells it. */
const BEFORE_MS = 2_000;
const UNTIL_MS = 60_000;
/** A late delivery that says when it happened. */
const DOUBLE_MS = 120_000;
const UNKNOWN_DISTANCE_MS = 1e15;

interface Pair<Left, Right> {
  readonly left: Left;
  readonly right: Right;
  readonly distance: number;
}

/** Joins the nearest first, each at most once. Among equals of one text every one finds a partner, however late it was delivered. */
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

function sameSpeaker(told: ServedPrompt, stored: StoredPrompt): boolean {
  if (told.type !== stored.type) return false;
  return told.agentGuessed ? stored.agentId !== null : told.agentId === stored.agentId;
}

function distance(told: ServedPrompt, stored: StoredPrompt): number {
  return told.atMs === null ? UNKNOWN_DISTANCE_MS : Math.abs(told.atMs - stored.atMs);
}

function bySameText(
  told: readonly ServedPrompt[],
  stored: readonly StoredPrompt[],
): Pair<ServedPrompt, StoredPrompt>[] {
  const byHash = new Map<string, StoredPrompt[]>();
  for (const prompt of stored) {
    const same = byHash.get(prompt.sha256);
    if (same === undefined) byHash.set(prompt.sha256, [prompt]);
    else same.push(prompt);
  }
  const uses = new Map<string, number>();
  return told.flatMap((prompt) =>
    [...new Set(prompt.hashes)].flatMap((hash) => {
      const same = byHash.get(hash) ?? [];
      const nth = uses.get(hash) ?? 0;
      uses.set(hash, nth + 1);
      // One text said very often: only the neighbours of its place are weighed, so that the work stays bounded.
      const reach = Math.ceil(MAX_PAIRS / Math.max(told.length, 1));
      const near = same.length <= reach ? same : same.slice(Math.max(0, nth - reach), nth + reach);
      return near
        .filter((candidate) => sameSpeaker(prompt, candidate))
        .map((candidate) => ({ left: prompt, right: candidate, distance: distance(prompt, candidate) }));
    }),
  );
}

/** The host may render a text otherwise than its transcript does: what was said by the same at the same moment is the same. */
function bySameMoment(
  told: readonly ServedPrompt[],
  stored: readonly StoredPrompt[],
): Pair<ServedPrompt, StoredPrompt>[] {
  return told.flatMap((prompt) => {
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
 * Which stored prompt says what a line of a transcript says: row ids by uuid. A line that is not in the answer was missed by hooks.
 * Of one text there are never more lines without a partner than the transcript has over the store, in whatever order hooks arrived.
 */
export function matchPrompts(
  told: readonly ServedPrompt[],
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
  join(bySameText(told, free));
  join(
    bySameMoment(
      told.filter((prompt) => !matched.has(prompt.uuid)),
      free.filter((prompt) => !taken.has(prompt)),
    ),
  );
  return matched;
}

/** A late delivery of what a transcript had brought before. */
export interface Double {
  /** The row that stays: it came first, and may be summarised and quoted already. */
  readonly keep: StoredPrompt;
  readonly drop: StoredPrompt;
}

/**
 * Prompts that stand twice because a spool was drained after the transcript was read: the same words of the same speaker, at the same
 * time as far as the late one knows its own time. A prompt that was said again later is none: its line of the transcript takes it first.
 */
export function findDoubles(stored: readonly StoredPrompt[]): Double[] {
  const brought = stored.filter((prompt) => prompt.source === 'transcript');
  const late = stored.filter((prompt) => prompt.source !== 'transcript' && !prompt.taken);
  if (brought.length === 0 || late.length === 0) return [];
  const pairs = late.flatMap((drop) =>
    brought
      .filter((keep) => {
        if (keep.type !== drop.type || keep.seq > drop.seq) return false;
        if (keep.agentId !== drop.agentId && keep.agentId?.startsWith('sidechain-') !== true) return false;
        if (keep.sha256 !== drop.sha256 && !keep.hashes.includes(drop.sha256)) return false;
        return drop.ownTime ? Math.abs(keep.atMs - drop.atMs) <= DOUBLE_MS : drop.source === 'spool';
      })
      .map((keep) => ({ left: keep, right: drop, distance: Math.abs(keep.atMs - drop.atMs) })),
  );
  return nearestFirst(pairs).map(([keep, drop]) => ({ keep, drop }));
}
