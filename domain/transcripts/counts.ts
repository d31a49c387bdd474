/** What is counted while transcripts are read. */
export const COUNT_NAMES = [
  /** Lines read, whatever they said. */
  'lines',
  /** Events that hooks had missed and that are stored now. */
  'added',
  /** Events that were stored already. */
  'present',
  /** Events that the store does not take: forgotten, deleted, capture switched off, or impossible to store. */
  'refused',
  /** Late deliveries of what a transcript had given already, taken out again. */
  'late_duplicates',
  /** Lines that break off. */
  'truncated',
  /** Lines that stood there before, in this file or in another session's. */
  'repeated',
  'unknown_type',
  'not_json',
  'too_large',
] as const;
export type CountName = (typeof COUNT_NAMES)[number];
export type TranscriptCounts = Readonly<Record<CountName, number>>;

/** Counts of which none was counted yet. */
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

/** The sum of counts, name by name; a name that one of them lacks counts as 0. */
export function addCounts(...all: readonly Partial<TranscriptCounts>[]): Record<CountName, number> {
  const sum = noCounts();
  for (const counts of all) for (const name of COUNT_NAMES) sum[name] += counts[name] ?? 0;
  return sum;
}
