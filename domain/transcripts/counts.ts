/** Counters of transcript reading. */
export const COUNT_NAMES = [
  /** Lines read, of any kind. */
  'lines',
  /** Events that hooks missed, stored now. */
  'added',
  /** Events that were stored already. */
  'present',
  /** Events that the store rejects: forgotten, deleted, capture disabled, or not storable. */
  'refused',
  /** Deleted late deliveries of events that a transcript had already added. */
  'late_duplicates',
  /** Truncated lines. */
  'truncated',
  /** Lines that this file or another session's already had. */
  'repeated',
  'unknown_type',
  'not_json',
  'too_large',
] as const;
export type CountName = (typeof COUNT_NAMES)[number];
export type TranscriptCounts = Readonly<Record<CountName, number>>;

/** Returns zero counts. */
export function noCounts(): Record<CountName, number> {
  return {
    lines: 0,
    added: 0,
    present: 0,
    refused: 0,
    late_duplicates: 0,
    truncated: 0,
    repeated: 0,
    unknown_type: 0,
    not_json: 0,
    too_large: 0,
  };
}

/** Sums counts by name; a missing name counts 0. */
export function addCounts(...all: readonly Partial<TranscriptCounts>[]): Record<CountName, number> {
  const sum = noCounts();
  for (const counts of all) for (const name of COUNT_NAMES) sum[name] += counts[name] ?? 0;
  return sum;
}
