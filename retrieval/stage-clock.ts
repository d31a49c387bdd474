import { tookTooLong } from '../stores/postgres/connection/tenant-scope.ts';
import type { StageName } from '../domain/search-names.ts';
import type { StageTime } from './search-types.ts';

/** Times the stages of one search. */
export interface StageClock {
  /** Runs a stage; repeated stages are summed. */
  time<Result>(stage: StageName, work: () => Promise<Result>): Promise<Result>;
  timeNow<Result>(stage: StageName, work: () => Result): Result;
  times(): StageTime[];
}

export function createStageClock(onStage: (stage: StageName, seconds: number) => void): StageClock {
  const durations = new Map<StageName, number>();
  const note = (stage: StageName, started: number) => {
    const tookMs = performance.now() - started;
    durations.set(stage, (durations.get(stage) ?? 0) + tookMs);
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
    times: () => [...durations].map(([stage, tookMs]) => ({ stage, tookMs })),
  };
}

/** Returns a promise's value within its time; null if it is late, or if PostgreSQL reports a timeout. The late work continues unobserved. */
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
    // Unobserved: the retriever was already abandoned.
    work.catch(() => undefined);
  }
}
