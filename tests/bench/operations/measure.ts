import { familyOf, residentMib } from '../process-tree.ts';
import type { BenchInstance } from '../capture/bench-instance.ts';

const SAMPLE_MS = 100;

/** Returns the resident memory of a process and its descendants, in MiB. */
function familyMib(pid: number): number {
  return familyOf(pid).reduce((sum, member) => sum + residentMib(member), 0);
}

export interface Measured<Result> {
  readonly result: Result;
  readonly seconds: number;
  /** Highest sample above the initial value, in MiB. */
  readonly growsMib: number;
}

/** Runs `work`; returns its duration and the growth of the worker's memory. */
export async function measured<Result>(
  instance: Pick<BenchInstance, 'pid'>,
  work: () => Promise<Result>,
): Promise<Measured<Result>> {
  const pid = instance.pid('worker');
  const before = familyMib(pid);
  let peak = before;
  const sampler = setInterval(() => {
    peak = Math.max(peak, familyMib(pid));
  }, SAMPLE_MS);
  const started = performance.now();
  try {
    const result = await work();
    return {
      result,
      seconds: Math.round((performance.now() - started) / 100) / 10,
      growsMib: Math.round(peak - before),
    };
  } finally {
    clearInterval(sampler);
  }
}
