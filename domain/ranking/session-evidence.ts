/** A memory with its own score. */
export interface OwnScore {
  /** 0–1 */
  readonly score: number;
  /** Null without a session. */
  readonly sessionId: string | null;
}

/** Two memories at 0.87 of the best score equal the best one, of those at half of it 32: many weak hits do not outweigh a strong one. */
const POWER = 5;

/**
 * Returns each session's evidence for the query: the sum of the fifth powers of its memories' scores, scaled so that the best session has 1.
 * Form: a power mean of passage scores represents their document (CombSUM and CombMAX are its limits; Fox and Shaw, TREC-2, 1994).
 */
export function sessionEvidence(scored: readonly OwnScore[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { score, sessionId } of scored)
    if (sessionId !== null) sums.set(sessionId, (sums.get(sessionId) ?? 0) + score ** POWER);
  const most = [...sums.values()].reduce((best, sum) => Math.max(best, sum), 0);
  return new Map([...sums].map(([id, sum]) => [id, most === 0 ? 0 : sum / most]));
}
