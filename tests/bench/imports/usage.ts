import { z } from 'zod';
import { cpuByService } from '../capture/cpu.ts';
import type { BenchInstance } from '../capture/bench-instance.ts';

const transactionsRow = z.object({ datname: z.string(), transactions: z.coerce.number() });

/** What an instance has used so far. */
export interface Usage {
  readonly atMs: number;
  /** Processor time of each service, in microseconds. */
  readonly cpu: ReadonlyMap<string, number>;
  /** Committed transactions of each database. */
  readonly transactions: ReadonlyMap<string, number>;
}

export async function usageOf(instance: BenchInstance): Promise<Usage> {
  const { rows } = await instance.database.query(
    "SELECT datname, xact_commit AS transactions FROM pg_stat_database WHERE datname IN ('recollect', 'temporal', 'temporal_visibility')",
  );
  const found = z.array(transactionsRow).parse(rows);
  return {
    atMs: performance.now(),
    cpu: cpuByService(instance),
    transactions: new Map(found.map((row) => [row.datname, row.transactions])),
  };
}

function growth(before: ReadonlyMap<string, number>, after: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...after].map(([name, value]) => [name, value - (before.get(name) ?? 0)]));
}

/**
 * Returns milliseconds of processor time and transactions per session between two measurements, less those of the same time at rest, and the processor
 * time at rest per second.
 */
export function usagePerSession(rest: readonly [Usage, Usage], work: readonly [Usage, Usage], sessions: number) {
  const share = (work[1].atMs - work[0].atMs) / (rest[1].atMs - rest[0].atMs);
  const each = (key: 'cpu' | 'transactions', unit: number): Record<string, number> => {
    const atRest = growth(rest[0][key], rest[1][key]);
    return Object.fromEntries(
      [...growth(work[0][key], work[1][key])].map(([name, value]) => [
        name,
        Math.round(((value - (atRest.get(name) ?? 0) * share) / unit / sessions) * 10) / 10,
      ]),
    );
  };
  const restSeconds = (rest[1].atMs - rest[0].atMs) / 1_000;
  const atRest = [...growth(rest[0].cpu, rest[1].cpu)].map(([name, us]) => [
    name,
    Math.round(us / 1_000 / restSeconds),
  ]);
  return {
    cpu_ms: each('cpu', 1_000),
    transactions: each('transactions', 1),
    cpu_ms_at_rest_per_s: Object.fromEntries(atRest),
  };
}
