import { RETAINED } from '../../domain/retention/policy.ts';
import type { Retained } from '../../domain/retention/policy.ts';
import { finishRun } from '../../stores/postgres/retention/retention-runs.ts';
import { readPolicyState } from '../../stores/postgres/retention/retention-policies.ts';
import { treatBatch } from '../../stores/postgres/retention/retention-batches.ts';
import { runsOfGroup, saveCursor } from '../../stores/postgres/retention/retention-groups.ts';
import type { ActingRun, GroupedRun } from '../../stores/postgres/retention/retention-groups.ts';
import {
  detachMonth,
  dropMonth,
  followMonth,
  pastMonths,
  followSessions,
} from '../../stores/postgres/retention/retention-months.ts';
import type { HotMonth } from '../../stores/postgres/retention/retention-months.ts';
import { dropExpiredValues, hintAll, weighGraph } from './leftovers.ts';
import type { RetentionDependencies } from './leftovers.ts';
import { expireSessions } from './expire-sessions.ts';
import { FIRST_ID } from '../../domain/ids.ts';
import { reportProgress } from '../heartbeat.ts';

/** Order of the stages: sessions first, so that archives are complete; then fully expired months; then rows. A dry run counts months as rows. */
const STAGES: readonly (Retained | 'month')[] = [
  'session',
  'month',
  ...RETAINED.filter((resource) => resource !== 'session'),
];
type Stage = (typeof STAGES)[number];

/** Rows per statement, locked for some hundred milliseconds. */
const ROWS_AT_ONCE = 5_000;
const COUNTED_AT_ONCE = 20_000;

/** Position of a group. */
interface Work {
  readonly groupId: string;
  readonly mode: GroupedRun['mode'];
  readonly runs: readonly ActingRun[];
  stage: Stage;
  after: string;
}

/** Returns the runs whose policies and legal holds are unchanged; ends the others. */
async function workOf(parts: RetentionDependencies, groupId: string): Promise<Work | null> {
  const runs = await runsOfGroup(parts.maintenance, groupId);
  const mode = runs[0]?.mode;
  const acting: ActingRun[] = [];
  for (const run of runs.filter((one) => one.mode === mode)) {
    const wanted = await parts.database.asTenant(run.tenantId, async (transaction) => {
      const state = await readPolicyState(transaction);
      if (state.hash !== run.policyHash) await finishRun(transaction, run.id, 'cancelled', 'PolicyChanged');
      else if (mode === 'run' && !state.approved) await finishRun(transaction, run.id, 'failed', 'NotApproved');
      else return state;
      return null;
    });
    if (wanted !== null)
      acting.push({ tenantId: run.tenantId, runId: run.id, referenceTime: run.referenceTime, rules: wanted.effective });
  }
  if (mode === undefined) return null;
  const cursor = runs.find((run) => run.mode === mode)?.cursor ?? null;
  const stage = STAGES.find((name) => name === cursor?.stage) ?? 'session';
  return { groupId, mode, runs: acting, stage, after: cursor?.after ?? FIRST_ID };
}

function nameOf({ resource, month }: HotMonth): string {
  return `${resource} ${month}`;
}

/** Cleans up after the rows of a detached month, and drops it. */
async function endMonth(parts: RetentionDependencies, month: HotMonth, signal: AbortSignal): Promise<void> {
  let from: string | null = null;
  for (let more = true; more;) {
    reportProgress(signal);
    const followed = await followMonth(parts.maintenance, month, from);
    await weighGraph(parts, followed.entities, followed.relations);
    await hintAll(parts, followed.tenants);
    ({ more, from } = followed);
  }
  for (let more = true, after: string | null = null; more;) {
    reportProgress(signal);
    const followed = await followSessions(parts.maintenance, month, after);
    await hintAll(parts, followed.tenants);
    ({ more, from: after } = followed);
  }
  await dropMonth(parts.maintenance, month);
}

/** Completes interrupted drops regardless of policies and legal holds: the rows are already detached. */
async function endDetached(parts: RetentionDependencies, signal: AbortSignal): Promise<void> {
  const months = await pastMonths(parts.maintenance, new Date(parts.clock.now()));
  for (const month of months.filter(({ isDetached }) => isDetached)) await endMonth(parts, month, signal);
}

/** Drops the next fully expired month after `after`. */
async function expireMonth(
  parts: RetentionDependencies,
  { runs, after }: Work,
  signal: AbortSignal,
): Promise<{ readonly rows: number; readonly after: string | null }> {
  const { maintenance } = parts;
  const months = await pastMonths(maintenance, new Date(parts.clock.now()));
  const next = months.find((month) => nameOf(month) > after);
  if (next === undefined) return { rows: 0, after: null };
  const rows = next.isDetached ? null : await detachMonth(maintenance, runs, next);
  if (rows === null) return { rows: 0, after: nameOf(next) };
  await endMonth(parts, next, signal);
  return { rows, after: nameOf(next) };
}

/**
 * Does the next batch of a group; returns its rows and the next position (null: stage completed). `isRequested` false: the runs were ended
 * meanwhile.
 */
async function doNext(parts: RetentionDependencies, work: Work, signal: AbortSignal) {
  const { groupId, mode, runs, stage, after } = work;
  const isDry = mode === 'dry_run';
  if (stage === 'month') {
    if (isDry) return { rows: 0, after: null, isRequested: true };
    return { ...(await expireMonth(parts, work, signal)), isRequested: true };
  }
  if (stage === 'session' && !isDry)
    return { ...(await expireSessions(parts, runs, after, signal)), isRequested: true };
  const limit = isDry ? COUNTED_AT_ONCE : ROWS_AT_ONCE;
  const done = await treatBatch(parts.maintenance, { resource: stage, isDry, runs, groupId, after, limit });
  await weighGraph(parts, done.entities, done.relations);
  return done;
}

/** Works on a group for `forMs`, in batches committed with their position. Returns the number of rows, and whether more remain. */
export async function stepGroup(
  parts: RetentionDependencies,
  groupId: string,
  forMs: number,
  signal: AbortSignal,
): Promise<{ readonly rows: number; readonly more: boolean }> {
  const deadline = performance.now() + forMs;
  await endDetached(parts, signal);
  const work = await workOf(parts, groupId);
  if (work === null) {
    // Also those of forgotten events, which need no policy.
    await dropExpiredValues(parts, signal);
    return { rows: 0, more: false };
  }
  let rows = 0;
  while (work.runs.length > 0) {
    reportProgress(signal);
    const done = await doNext(parts, work, signal);
    rows += done.rows;
    if (!done.isRequested) break;
    if (done.after === null) {
      const next = STAGES[STAGES.indexOf(work.stage) + 1];
      if (rows > 0 && work.mode === 'run')
        await hintAll(
          parts,
          work.runs.map(({ tenantId }) => tenantId),
        );
      if (next === undefined) {
        if (work.mode === 'run') await dropExpiredValues(parts, signal);
        for (const run of work.runs)
          await parts.database.asTenant(run.tenantId, (transaction) =>
            finishRun(transaction, run.runId, 'completed', null),
          );
        break;
      }
      work.stage = next;
      work.after = FIRST_ID;
    } else work.after = done.after;
    await saveCursor(parts.maintenance, groupId, work.mode, { stage: work.stage, after: work.after });
    if (performance.now() > deadline) break;
  }
  return { rows, more: true };
}
