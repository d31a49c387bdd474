import { ModelError } from '../../domain/ports/model.ts';
import type { ModelErrorKind, ModelPort } from '../../domain/ports/model.ts';

/** Failures of the provider itself: its next requests would fail, too. Others concern one request. */
const PAUSING: ReadonlySet<ModelErrorKind> = new Set<ModelErrorKind>([
  'rate_limited',
  'overloaded',
  'timeout',
  'unavailable',
  'unauthorised',
]);
/** Pause without a `retry-after`, and the longest one: a provider that is back is used again soon. */
const PAUSE_MS = 30_000;
const MAX_PAUSE_MS = 600_000;

/** Paused models of this process. Other workers find out by themselves, with one request each. */
const pauses = new WeakMap<ModelPort, { readonly untilMs: number; readonly error: ModelError }>();

/** Notes a failure, after which other providers are used for a while. */
export function pauseProvider(model: ModelPort, error: ModelError): void {
  if (!PAUSING.has(error.kind)) return;
  const pauseMs = Math.min(error.retryAfterMs ?? PAUSE_MS, MAX_PAUSE_MS);
  pauses.set(model, { untilMs: performance.now() + pauseMs, error });
}

/** Returns the failure after which a model is still paused, with the rest of the pause; null if it is not. */
export function pauseOf(model: ModelPort): ModelError | null {
  const pause = pauses.get(model);
  if (pause === undefined) return null;
  const retryAfterMs = Math.ceil(pause.untilMs - performance.now());
  if (retryAfterMs > 0) return new ModelError(pause.error.kind, pause.error.message, { retryAfterMs });
  pauses.delete(model);
  return null;
}
