import { z } from 'zod';
import type { BenchInstance } from '../capture/bench-instance.ts';
import { awaitDone, request } from './api.ts';
import { measured } from './measure.ts';

const RESTORE_MS = 3_600_000;
const LOOK_MS = 500;
const restoreRow = z.looseObject({ id: z.string(), result: z.unknown() });

/** A backup of another instance. */
export interface RestoredSet {
  readonly backupId: string;
  /** Folder of its sets. */
  readonly store: string;
  readonly publicKey: string;
  readonly tableMib: number;
}

/** Repeats the query until its response is correct. */
async function firstCorrect(right: () => Promise<boolean>, signal: AbortSignal): Promise<number> {
  const started = performance.now();
  while (!signal.aborted) {
    // Rejected and failed requests during the swap do not count.
    if (await right().catch(() => false)) return Math.round((performance.now() - started) / 100) / 10;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new Error('no correct response before the end of the restore');
}

/** Settings of an instance that restores the sets of another one. */
export function restoringSettings({
  store,
  publicKey,
}: Pick<RestoredSet, 'store' | 'publicKey'>): Record<string, string> {
  return { RECOLLECT_BACKUP_COPY_STORE: store, RECOLLECT_BACKUP_TRUSTED_KEYS: publicKey };
}

/** Restores a backup into an empty instance that was started with `restoringSettings`; returns the seconds to the first correct response, and to the end with everything verified. */
export async function benchRestore(
  instance: BenchInstance,
  set: RestoredSet,
  right: () => Promise<boolean>,
): Promise<Readonly<Record<string, unknown>>> {
  const stop = new AbortController();
  const { result, seconds, growsMib } = await measured(instance, async () => {
    const searching = firstCorrect(right, stop.signal);
    const started = restoreRow.parse(
      await request(instance, 'POST', '/admin/restore', {
        backup_id: set.backupId,
        store: 'copy',
      }),
    );
    const row = restoreRow.parse(await awaitDone(instance, `/admin/restores/${started.id}`, RESTORE_MS));
    setTimeout(() => stop.abort(), 10_000).unref();
    return { firstSeconds: await searching, row };
  });
  return {
    first_search_s: result.firstSeconds,
    table_mb_per_s: Math.round(((set.tableMib * 1.048576) / result.firstSeconds) * 10) / 10,
    seconds,
    worker_grows_mib: growsMib,
    result: result.row.result,
  };
}
