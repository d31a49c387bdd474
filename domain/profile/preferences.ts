import { overlap, termsOf } from '../text/terms.ts';
import type { Preference, PreferenceSource, ProfileEvidence } from './profile.ts';

/** Texts with this share of the shorter one's words in common are equal. */
const SAME_OVERLAP = 0.8;
/** Shorter texts overlap by chance: they must be identical. */
const FEW_TERMS = 3;
const MAX_PREFERENCES = 20;
const MAX_EVIDENCE = 3;

interface Group {
  readonly terms: readonly string[];
  readonly sources: PreferenceSource[];
}

function bySurety(a: PreferenceSource, b: PreferenceSource): number {
  return (
    Number(b.verified) - Number(a.verified) || b.confidence - a.confidence || a.learningId.localeCompare(b.learningId)
  );
}

function isRepetition(group: Group, terms: readonly string[]): boolean {
  if (Math.min(group.terms.length, terms.length) < FEW_TERMS) return group.terms.join(' ') === terms.join(' ');
  return overlap(group.terms, terms) >= SAME_OVERLAP;
}

/** Returns the evidence, one piece per row, newest first. */
function newestEvidence(sources: readonly PreferenceSource[]): ProfileEvidence[] {
  const byRow = new Map(sources.flatMap((source) => source.evidence.map((piece) => [piece.rowId, piece] as const)));
  return [...byRow.values()].sort(
    (a, b) => b.occurredAt.getTime() - a.occurredAt.getTime() || a.rowId.localeCompare(b.rowId),
  );
}

function preferenceOf({ sources }: Group): Preference | null {
  const [first] = sources;
  if (first === undefined) return null;
  const evidence = newestEvidence(sources);
  return {
    text: first.text,
    category: first.category,
    learningIds: sources.map((source) => source.learningId),
    verified: sources.some((source) => source.verified),
    confidence: Math.max(...sources.map((source) => source.confidence)),
    // A manual learning counts as one session.
    sessions: new Set(evidence.map((piece) => piece.sessionId ?? piece.rowId)).size,
    evidence,
  };
}

function newest(preference: Preference): number {
  return preference.evidence[0]?.occurredAt.getTime() ?? 0;
}

/**
 * Returns a user's preferences from learnings that quote the user: equal ones are joined, those of most sessions come first. Independent of
 * the order of the sources; at most 20, each with its three newest quotes.
 */
export function distilPreferences(sources: readonly PreferenceSource[]): readonly Preference[] {
  const groups: Group[] = [];
  for (const source of sources.toSorted(bySurety)) {
    if (source.evidence.length === 0) continue;
    const terms = termsOf(source.text);
    const known = groups.find((group) => isRepetition(group, terms));
    if (known === undefined) groups.push({ terms, sources: [source] });
    else known.sources.push(source);
  }
  return groups
    .flatMap((group) => preferenceOf(group) ?? [])
    .sort(
      (a, b) =>
        b.sessions - a.sessions ||
        Number(b.verified) - Number(a.verified) ||
        b.confidence - a.confidence ||
        newest(b) - newest(a) ||
        (a.learningIds[0] ?? '').localeCompare(b.learningIds[0] ?? ''),
    )
    .slice(0, MAX_PREFERENCES)
    .map((preference) => ({ ...preference, evidence: preference.evidence.slice(0, MAX_EVIDENCE) }));
}
