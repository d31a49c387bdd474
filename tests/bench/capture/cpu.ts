import { readFileSync } from 'node:fs';
import { familyOf } from '../process-tree.ts';
import type { BenchInstance } from './bench-instance.ts';

/** Linux counts processor time in hundredths of a second. */
const TICK_US = 10_000;
export const SERVICES = ['api', 'postgres', 'worker', 'temporal', 'weaviate'] as const;

/** Processor time of a process, in microseconds; 0 if it has ended. */
export function cpuOf(pid: number): number {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? [];
    return (Number(fields[11]) + Number(fields[12])) * TICK_US;
  } catch {
    return 0; // It ended meanwhile.
  }
}

/** Processor time of each service with its children, in microseconds. Excludes ended children. */
export function cpuByService(instance: BenchInstance): Map<string, number> {
  return new Map(
    SERVICES.map((name) => {
      const pid = instance.pid(name);
      const family = pid === 0 ? [] : familyOf(pid);
      return [name, family.reduce((sum, member) => sum + cpuOf(member), 0)];
    }),
  );
}

/** Processor time of each service between two measurements, in microseconds per event. */
export function cpuPerEvent(
  before: ReadonlyMap<string, number>,
  after: ReadonlyMap<string, number>,
  events: number,
): Record<string, number> {
  return Object.fromEntries(
    [...after].map(([name, us]) => [name, Math.round((us - (before.get(name) ?? 0)) / Math.max(1, events))]),
  );
}
