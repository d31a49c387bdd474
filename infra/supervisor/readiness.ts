import { setTimeout as delay } from 'node:timers/promises';
import type { Child } from './child.ts';
import type { ServiceDefinition } from './definitions.ts';

const PROBE_EVERY_MS = 60;
/** Timeout of one poll. */
const PROBE_TIMEOUT_MS = 5000;

/**
 * Waits until a started service is ready. Rejects if it ends, after its timeout (with the last error), and
 * if the signal aborts.
 */
export async function awaitReadiness(definition: ServiceDefinition, child: Child, signal: AbortSignal): Promise<void> {
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  let lastError = 'no response';
  const { readiness } = definition;
  const ready =
    readiness.kind === 'message'
      ? child.reportedReady
      : probeUntilReady(readiness.check, stop, (reason) => {
          lastError = reason;
        });
  const timeout = delay(definition.readyTimeoutMs, 'timeout' as const, { signal: stop });
  const outcomes = [ready.then(() => 'ready' as const), timeout, child.exited];
  try {
    const outcome = await Promise.race(outcomes);
    if (outcome === 'ready') return;
    if (outcome === 'timeout') throw new Error(`not ready after ${definition.readyTimeoutMs / 1000} s (${lastError})`);
    throw new Error(outcome.text);
  } finally {
    over.abort();
    // The abort ends the other promises; their rejections are redundant.
    for (const outcome of outcomes) outcome.catch(() => undefined);
  }
}

async function probeUntilReady(
  check: (signal: AbortSignal) => Promise<void>,
  stop: AbortSignal,
  failed: (reason: string) => void,
): Promise<void> {
  for (;;) {
    stop.throwIfAborted();
    try {
      await check(AbortSignal.any([stop, AbortSignal.timeout(PROBE_TIMEOUT_MS)]));
      return;
    } catch (error) {
      failed(error instanceof Error ? error.message : String(error));
    }
    await delay(PROBE_EVERY_MS, undefined, { signal: stop });
  }
}
