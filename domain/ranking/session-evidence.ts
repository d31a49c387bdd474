/** A memory with what was counted of it alone. */
export interface OwnScore {
  /** 0–1 */
  readonly score: number;
  /** Null for what belongs to no session. */
  readonly sessionId: string | null;
}

/** Two memories at 0.87 of the best score weigh what the best one does, of those at half of it 32: many weak hits are no strong one. */
const POWER = 5;

/**
 * How much each session has to say to the question: the fifth powers of its memories' scores, summed, and scaled so that the best session has 1.
 * Source of the form: a power mean of passage scores stands for their document (CombSUM and CombMAX are its ends; Fox and Shaw, TREC-2, 1994).
 */
export function sessionEvidence(scored: readonly OwnScore[]): ReadonlyMap<string, number> {
  const sums = new Map<string, number>();
  for (const { score, sessionId } of scored)
    if (sessionId !== null) sums.set(sessionId, (sums.get(sessionId) ?? 0) + score ** POWER);
  const most = [...sums.values()].reduce((best, sum) => Math.max(best, sum), 0);
  return new Map([...sums].map(([id, sum]) => [id, most === 0 ? 0 : sum / most]));
}
