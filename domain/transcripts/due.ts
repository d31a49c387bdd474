/** How far a file was read, as far as it decides whether it is looked at again. */
export interface LookedAt {
  readonly size: number;
  readonly modifiedAtMs: number;
  readonly open: boolean;
  readonly lookedAtMs: number;
}

/** `waiting`: it is being written to. `unchanged`: everything of it was read. */
export type FileStanding = 'due' | 'waiting' | 'unchanged';

/** What waits for longer than this is waited for by nobody; see the reader. */
const ABANDONED_MS = 24 * 3_600_000;
/** A clock that is set back leaves files from the future: they are as quiet as any. */
const FUTURE_MS = 3_600_000;

/** For how long nothing was written to a file. */
export function quietFor(modifiedAtMs: number, nowMs: number): number {
  const ms = nowMs - modifiedAtMs;
  return ms < -FUTURE_MS ? ABANDONED_MS : Math.max(0, ms);
}

/**
 * Whether a file is to be read now. One that was written to less than `quietMs` ago waits: what hooks have on their way arrives first.
 * One with an unfinished end is due again when it has been quiet for `idleMs`, and once more after a day.
 */
export function currentOf(
  file: { readonly size: number; readonly modifiedAtMs: number },
  before: LookedAt | null,
  nowMs: number,
  limits: { readonly quietMs: number; readonly idleMs: number },
): FileStanding {
  const quietMs = quietFor(file.modifiedAtMs, nowMs);
  const changed = before === null || before.size !== file.size || before.modifiedAtMs !== file.modifiedAtMs;
  if (changed) return quietMs < limits.quietMs ? 'waiting' : 'due';
  if (!before.open) return 'unchanged';
  const quietThenMs = quietFor(file.modifiedAtMs, before.lookedAtMs);
  return [limits.idleMs, ABANDONED_MS].some((bound) => quietThenMs < bound && quietMs >= bound) ? 'due' : 'unchanged';
}
