import { tookTooLong } from '../stores/postgres/connection/timed-queries.ts';
import type { StageName } from '../domain/search-names.ts';
import type { StageTime } from './search-types.ts';

/** Times the stages of one search. */
export interface StageClock {
  /** Runs a stage; a stage that runs twice is told with the sum. */
  time<Result>(stage: StageName, work: () => Promise<Result>): Promise<Result>;
  timeNow<Result>(stage: StageName, work: () => Result): Result;
  times(): StageTime[];
}

export function createStageClock(onStage: (stage: StageName, seconds: number) => void): StageClock {
  const taken = new Map<StageName, number>();
  const note = (stage: StageName, started: number) => {
    const tookMs = performance.now() - started;
    taken.set(stage, (taken.get(stage) ?? 0) + tookMs);
    onStage(stage, tookMs / 1_000);
  };
  return {
    async time(stage, work) {
      const started = performance.now();
      try {
        return await work();
      } finally {
        note(stage, started);
      }
    },
    timeNow(stage, work) {
      const started = performance.now();
      try {
        return work();
      } finally {
        note(stage, started);
      }
    },
    times: () => [...taken].map(([stage, tookMs]) => ({ stage, tookMs })),
  };
}

/** What a promise gives within its time; null when it takes longer, or PostgreSQL says so of it. What it does then goes on, and nobody waits for it. */
export async function within<Result>(ms: number, work: Promise<Result>): Promise<Result | null> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  try {
    return await Promise.race([work, late]);
  } catch (error) {
    if (tookTooLong(error)) return null;
    throw error;
  } finally {
    clearTimeout(timer);
    // Nobody hears any more how it ended: late failures are no news, the lane was already given up.
    work.catch(() => undefined);
  }
}
