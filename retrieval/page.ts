import type { MemoryHead } from '../stores/postgres/memories/memories.ts';
import type { SearchResult } from './search-types.ts';
import type { Candidate } from './score.ts';

/** Returns the best candidate of each session; candidates without a session are separate. */
export function bestOfEachSession(candidates: readonly Candidate[]): Candidate[] {
  const seen = new Set<string>();
  return candidates.filter(({ head }) => {
    const key = head.sessionId ?? head.id;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function countBy(values: readonly (string | null)[]): Record<string, number> {
  // A map, because a tag may be called `constructor`.
  const counts = new Map<string, number>();
  for (const value of values) if (value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  return Object.fromEntries(counts);
}

/** Counts these memories by type, tool, project and tag. */
export function facetsOf(heads: readonly MemoryHead[]): SearchResult['facets'] {
  return {
    type: countBy(heads.map((head) => head.type)),
    tool: countBy(heads.map((head) => head.tool)),
    project: countBy(heads.map((head) => head.projectName)),
    tag: countBy(heads.flatMap((head) => [...head.tags])),
  };
}
