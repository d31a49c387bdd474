import { z } from 'zod';
import { asId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import type { IndexModel } from '../../domain/index-model.ts';
import { sideBySide } from '../../domain/side-by-side.ts';
import { closeCheck, noteCheck, openCheck } from '../../stores/postgres/consistency/consistency-checks.ts';
import { updatedIndexes } from '../../stores/postgres/consistency/ledger.ts';
import { DIVERGENCE_KINDS } from '../../workflows/consistency/types.ts';
import type { CheckCounts, ConsistencyActivities } from '../../workflows/consistency/types.ts';
import { resumeWithHeartbeat } from '../heartbeat.ts';
import { checkRows, listUntracked } from './check-rows.ts';
import { checkWorkflows } from './check-workflows.ts';
import type { Comparison, ConsistencyDependencies } from './comparison.ts';
import { scanIndex } from './scan-index.ts';
import { Tally } from './comparison.ts';

/** Writes between ledger and index take milliseconds; a write that waits for its batch a second. */
const SETTLE_MS = 2_000;

const kindCounts = z.partialRecord(z.enum(DIVERGENCE_KINDS), z.number());
const countsSchema = z.object({ rows: z.number(), found: kindCounts, repaired: kindCounts });
/** Position of an attempt. */
const detailsSchema = z.object({
  /** Indexes that are checked. */
  scanned: z.array(z.string()),
  /** Last object checked of the current one. */
  model: z.string().nullable(),
  after: z.string().nullable(),
  counts: countsSchema,
  /** State of the checks in PostgreSQL. */
  rows: z.object({ isDone: z.boolean(), counts: countsSchema }),
});
type Details = z.output<typeof detailsSchema>;

const NOTHING: CheckCounts = { rows: 0, found: {}, repaired: {} };
const START: Details = {
  scanned: [],
  model: null,
  after: null,
  counts: NOTHING,
  rows: { isDone: false, counts: NOTHING },
};

/** Progress of the index half. */
type Scanned = Omit<Details, 'rows'>;

const sumOf = (counts: CheckCounts['found']): number => Object.values(counts).reduce((sum, count) => sum + count, 0);

/** Consistency checks. Repeatable: repaired differences are not found again. */
export function createConsistencyActivities(dependencies: ConsistencyDependencies): ConsistencyActivities {
  const { maintenance, hints, repairs, settleMs = SETTLE_MS } = dependencies;

  /** Compares ledger and objects of every index. Returns true if chunks were queued for indexing. */
  const compareIndexes = async (
    comparison: Comparison,
    indexes: readonly IndexModel[],
    checkId: string,
    from: Scanned,
    report: (scanned: Scanned) => void,
  ): Promise<boolean> => {
    const { tally } = comparison;
    const scanned = [...from.scanned];
    let hasWork = false;
    for (const { name } of indexes) {
      if (scanned.includes(name)) continue;
      const worked = await scanIndex(comparison, name, from.model === name ? from.after : null, async (after) => {
        report({ scanned, model: name, after, counts: tally.counts() });
        await noteCheck(maintenance, checkId, tally.counts(), false);
      });
      hasWork = worked || hasWork;
      scanned.push(name);
      report({ scanned, model: null, after: null, counts: tally.counts() });
    }
    return hasWork;
  };

  /** Checks PostgreSQL and workflows. Returns true if chunks were queued for indexing. */
  const compareRows = async (comparison: Comparison, [served]: readonly IndexModel[]): Promise<boolean> => {
    const hasUnlisted = served !== undefined && (await listUntracked(comparison, served));
    const hasMissing = await checkRows(comparison);
    await checkWorkflows(comparison);
    return hasUnlisted || hasMissing;
  };

  /** In parallel: one waits for Weaviate, the other for PostgreSQL. */
  const compare = async (
    comparison: Comparison,
    checkId: string,
    from: Details,
    report: (details: Details) => void,
  ): Promise<CheckCounts> => {
    const { tenantId, tally } = comparison;
    const indexes = await updatedIndexes(maintenance, tenantId);
    // Differences repaired by a previous attempt are not found again; others are.
    const { isDone, counts } = from.rows;
    const ofRows = new Tally(isDone ? counts : { rows: 0, found: counts.repaired, repaired: counts.repaired });
    let scanned: Scanned = from;
    let areRowsDone = isDone;
    const reportAll = (): void => report({ ...scanned, rows: { isDone: areRowsDone, counts: ofRows.counts() } });
    const worked = await sideBySide(comparison.signal, [
      (signal) =>
        compareIndexes({ ...comparison, signal }, indexes, checkId, from, (now) => {
          scanned = now;
          reportAll();
        }),
      async (signal) => {
        if (isDone) return sumOf(counts.repaired) > 0;
        const hasWork = await compareRows({ ...comparison, signal, tally: ofRows }, indexes).finally(reportAll);
        areRowsDone = true;
        reportAll();
        return hasWork || sumOf(counts.repaired) > 0;
      },
    ]);
    tally.add(ofRows.counts());
    if (worked.includes(true)) await hints.index(tenantId);
    return tally.counts();
  };

  return {
    checkTenant: ({ tenantId: given, checkId, repair: requested }) =>
      resumeWithHeartbeat(detailsSchema, START, async (signal, from, report) => {
        const tenantId = asId<TenantId>(given);
        const repair = requested ?? repairs;
        await openCheck(maintenance, { id: checkId, tenantId, repair });
        const tally = new Tally(from.counts);
        const comparison: Comparison = { ...dependencies, tenantId, repair, settleMs, tally, signal };
        const counts = await compare(comparison, checkId, from, report);
        await noteCheck(maintenance, checkId, counts, true);
        return counts;
      }),
    closeCheck: ({ checkId, state, error }) => closeCheck(maintenance, checkId, state, error),
  };
}
