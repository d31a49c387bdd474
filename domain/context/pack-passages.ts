import type { Passage } from './passages.ts';

/** A passage with its value and its cost. */
export interface ValuedPassage extends Passage {
  /** Not negative; comparable within one call only. */
  readonly value: number;
  /** Includes the separator from the preceding text. */
  readonly tokens: number;
}

/** A memory with its candidate passages; its head costs once, however many are shown. */
export interface PassageGroup {
  readonly id: string;
  readonly headTokens: number;
  readonly passages: readonly ValuedPassage[];
}

export interface PackedGroup<Group extends PassageGroup> {
  readonly group: Group;
  /** Chosen passages in text order; at least one. */
  readonly passages: readonly ValuedPassage[];
  readonly value: number;
  readonly tokens: number;
}

/** A passage is dropped if a chosen one has this share of its words: a statement that a summary, its source and a learning repeat is shown once. */
const SAME_SHARE = 0.85;
/** Passages with fewer words are never duplicates: they have too little to compare. */
const LEAST_TERMS = 3;

function isRepeated(passage: Passage, shown: readonly Passage[]): boolean {
  if (passage.terms.size < LEAST_TERMS) return shown.some((other) => other.text === passage.text);
  return shown.some((other) => {
    let shared = 0;
    for (const term of passage.terms) if (other.terms.has(term)) shared += 1;
    return shared >= SAME_SHARE * passage.terms.size;
  });
}

interface Candidate<Group extends PassageGroup> {
  readonly group: Group;
  readonly passage: ValuedPassage;
}

/**
 * Chooses passages by value per token under a budget (greedy knapsack, Dantzig 1957). The first passage of a group also pays for the
 * group's head; duplicates of chosen passages or of `known` are skipped. Independent of the order of the groups. Returns the groups by value, best first.
 */
export function packPassages<Group extends PassageGroup>(
  groups: readonly Group[],
  budgetTokens: number,
  known: readonly Passage[] = [],
): readonly PackedGroup<Group>[] {
  const open = new Map<Group, ValuedPassage[]>();
  const shown: Passage[] = [...known];
  let left = budgetTokens;
  let candidates: Candidate<Group>[] = groups
    .flatMap((group) => group.passages.map((passage) => ({ group, passage })))
    .filter(({ passage }) => passage.value > 0)
    // The first compared wins a tie.
    .sort((a, b) => a.group.id.localeCompare(b.group.id) || a.passage.place - b.passage.place);
  const costOf = ({ group, passage }: Candidate<Group>): number =>
    passage.tokens + (open.has(group) ? 0 : group.headTokens);
  for (;;) {
    let best: Candidate<Group> | undefined;
    let bestDensity = 0;
    for (const candidate of candidates) {
      const cost = costOf(candidate);
      const density = candidate.passage.value / cost;
      if (cost <= left && density > bestDensity) [best, bestDensity] = [candidate, density];
    }
    if (best === undefined) break;
    const { group, passage } = best;
    const chosen = best;
    candidates = candidates.filter((candidate) => candidate !== chosen);
    if (isRepeated(passage, shown)) continue;
    left -= costOf(best);
    shown.push(passage);
    open.set(group, [...(open.get(group) ?? []), passage]);
  }
  return [...open]
    .map(([group, passages]) => ({
      group,
      passages: passages.toSorted((a, b) => a.place - b.place),
      value: passages.reduce((sum, passage) => sum + passage.value, 0),
      tokens: group.headTokens + passages.reduce((sum, passage) => sum + passage.tokens, 0),
    }))
    .sort((a, b) => b.value - a.value || a.group.id.localeCompare(b.group.id));
}
