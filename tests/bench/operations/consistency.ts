import { z } from 'zod';
import type { BenchInstance } from '../capture/bench-instance.ts';
import { runJob } from './api.ts';
import { measured } from './measure.ts';

const CHECK_MS = 900_000;
const row = z.looseObject({ rows: z.number(), found: z.record(z.string(), z.number()) });

/** Runs a consistency check without repairs on an intact tenant, as an admin. */
export async function benchConsistency(instance: BenchInstance): Promise<Readonly<Record<string, unknown>>> {
  const { result, seconds, growsMib } = await measured(instance, () =>
    runJob(instance, '/admin/consistency', { repair: false }, '/admin/consistency/checks', CHECK_MS),
  );
  const { rows, found } = row.parse(result);
  return { seconds, rows, found, worker_grows_mib: growsMib };
}
