import { asId } from '../../domain/ids.ts';
import { ArchiveStoreError } from '../../domain/ports/archive-store.ts';
import type { ArchiveStore } from '../../domain/ports/archive-store.ts';
import { expiredFullValues } from '../../stores/postgres/retention/expired-full-values.ts';
import { removeStrays } from '../../stores/postgres/retention/archive-strays.ts';
import { openRun, finishRun } from '../../stores/postgres/retention/retention-runs.ts';
import { readPolicyState } from '../../stores/postgres/retention/retention-policies.ts';
import {
  alertDryRun,
  runsOfGroup,
  tenantsWithPolicies,
  unseenDryRuns,
} from '../../stores/postgres/retention/retention-groups.ts';
import { pastMonths } from '../../stores/postgres/retention/retention-months.ts';
import type { RetentionActivities } from '../../workflows/retention/types.ts';
import { removeDueExports, removeUnreadUploads } from '../export-import/remaining-files.ts';
import { withHeartbeat } from '../heartbeat.ts';
import { tryHintIndex } from '../try-hint-index.ts';
import { restoreArchive } from './archive-session.ts';
import type { RetentionDependencies } from './leftovers.ts';
import { stepGroup } from './step.ts';

/** Duration of a step. */
const STEP_MS = 15_000;

/** Returns true if the store has archives; an unavailable store is checked by the next run. */
async function hasArchives(archives: ArchiveStore | null): Promise<boolean> {
  if (archives === null) return false;
  try {
    for await (const _ of archives.list('archives/')) return true;
  } catch (error) {
    if (!(error instanceof ArchiveStoreError)) throw error;
  }
  return false;
}

/** Of a slow store the next runs remove the rest: this one is about rows. */
const CLEAR_MS = 30_000;

/** Removes files of exports and imports that are not needed any more. An unavailable store fails no retention: the next run removes them. */
async function clearFiles({ maintenance, archives, clock }: RetentionDependencies): Promise<void> {
  if (archives === null) return;
  const untilMs = performance.now() + CLEAR_MS;
  const isTimeUp = () => performance.now() > untilMs;
  try {
    await removeDueExports(maintenance, archives, isTimeUp);
    await removeUnreadUploads(maintenance, archives, clock.now(), isTimeUp);
  } catch (error) {
    if (!(error instanceof ArchiveStoreError)) throw error;
  }
}

/** Removes stray objects at the end of a run. An unavailable store does not fail a completed run. */
async function clearArchives({ database, archives, objects }: RetentionDependencies, signal: AbortSignal) {
  if (archives === null) return;
  try {
    await removeStrays({ database, archives, objects }, null, signal);
  } catch (error) {
    if (signal.aborted || !(error instanceof ArchiveStoreError)) throw error;
  }
}

/** Retention. Every step is repeatable. */
export function createRetentionActivities(parts: RetentionDependencies): RetentionActivities {
  const { database, maintenance, archives, hints, embeddingModel, clock } = parts;
  return {
    async openRetention({ groupId }) {
      let runs = 0;
      for (const tenantId of await tenantsWithPolicies(maintenance)) {
        const { hash, approved } = await database.asTenant(tenantId, readPolicyState);
        const seen = approved ? [] : await unseenDryRuns(maintenance, { tenantId, hash });
        const [waiting] = seen;
        if (waiting === undefined) {
          const mode = approved ? 'run' : 'dry_run';
          await database.asTenant(tenantId, (transaction) =>
            openRun(transaction, { tenantId, groupId, mode, hash, userId: null, now: new Date(clock.now()) }),
          );
          runs += 1;
        } else await alertDryRun(maintenance, waiting);
      }
      // Whether there are policies or not: this run is of every day.
      await clearFiles(parts);
      // The first step completes interrupted drops of months even without policies; the last one removes full values of forgotten events and stray archives.
      const months = await pastMonths(maintenance, new Date(clock.now()));
      if (runs > 0) return { runs };
      const hasLeftovers =
        months.some(({ isDetached }) => isDetached) ||
        (await expiredFullValues(maintenance, null, 1)).length > 0 ||
        (await hasArchives(archives));
      return { runs: hasLeftovers ? 1 : 0 };
    },
    stepRetention: ({ groupId }) =>
      withHeartbeat(async (signal) => {
        const step = await stepGroup(parts, groupId, STEP_MS, signal);
        if (!step.more) await clearArchives(parts, signal);
        return step;
      }),
    async finishRetention({ groupId, state, error }) {
      for (const run of await runsOfGroup(maintenance, groupId))
        await database.asTenant(run.tenantId, (transaction) => finishRun(transaction, run.id, state, error));
      for (const run of await unseenDryRuns(maintenance, { groupId })) await alertDryRun(maintenance, run);
    },
    restoreArchived: ({ tenantId, archiveId }) =>
      withHeartbeat(async (signal) => {
        if (archives === null) return { restored: false };
        const restored = await restoreArchive(
          { database, maintenance, archives, embeddingModel },
          asId(tenantId),
          archiveId,
          signal,
        );
        if (restored) await tryHintIndex(hints, asId(tenantId));
        return { restored };
      }),
  };
}
