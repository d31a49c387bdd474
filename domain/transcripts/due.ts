/** Reading state of a file that decides whether it is due. */
export interface LookedAt {
  readonly size: number;
  readonly modifiedAtMs: number;
  readonly open: boolean;
  readonly lookedAtMs: number;
}

/** `waiting`: being written. `unchanged`: read completely. */
export type FileDueState = 'due' | 'waiting' | 'unchanged';

/** Open calls are abandoned after this time; see the reader. */
const ABANDONED_MS = 24 * 3_600_000;
/** Files with a later time, from a clock that was set back, count as quiet. */
const FUTURE_MS = 3_600_000;

/** Returns the time since the last write to a file. */
export function quietFor(modifiedAtMs: number, nowMs: number): number {
  const ms = nowMs - modifiedAtMs;
  return ms < -FUTURE_MS ? ABANDONED_MS : Math.max(0, ms);
}

/**
 * Returns whether a file is due. One written less than `quietMs` ago waits, so that pending hooks arrive first. One with an unfinished end
 * is due again after `idleMs` without a write, and once more after a day.
 */
export function currentOf(
  file: { readonly size: number; readonly modifiedAtMs: number },
  before: LookedAt | null,
  nowMs: number,
  limits: { readonly quietMs: number; readonly idleMs: number },
): FileDueState {
  const quietMs = quietFor(file.modifiedAtMs, nowMs);
  const changed = before === null || before.size !== file.size || before.modifiedAtMs !== file.modifiedAtMs;
  if (changed) return quietMs < limits.quietMs ? 'waiting' : 'due';
  if (!before.open) return 'unchanged';
  const quietThenMs = quietFor(file.modifiedAtMs, before.lookedAtMs);
  return [limits.idleMs, ABANDONED_MS].some((bound) => quietThenMs < bound && quietMs >= bound) ? 'due' : 'unchanged';
}
