const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface Interrupts {
  /** Aborts at the first request to stop. */
  readonly signal: AbortSignal;
  /** Resolves at the first request to stop. */
  readonly requested: Promise<void>;
  dispose(): void;
}

/**
 * Converts SIGINT, SIGTERM and SIGHUP to a clean stop. A second signal calls `again`, which must exit at once.
 */
export function listenForInterrupts(again: () => void): Interrupts {
  const controller = new AbortController();
  const requested = Promise.withResolvers<void>();
  const onSignal = (): void => {
    if (controller.signal.aborted) {
      again();
      return;
    }
    controller.abort();
    requested.resolve();
  };
  for (const name of SIGNALS) process.on(name, onSignal);
  return {
    signal: controller.signal,
    requested: requested.promise,
    dispose: () => {
      for (const name of SIGNALS) process.removeListener(name, onSignal);
    },
  };
}
