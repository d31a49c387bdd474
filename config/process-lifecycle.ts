/** Resolves when this process is asked to stop: by a signal, or because the supervisor that started it is gone. */
export function stopRequested(): Promise<string> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve('SIGTERM'));
    process.once('SIGINT', () => resolve('SIGINT'));
    process.once('disconnect', () => resolve('the supervisor is gone'));
  });
}

/** Tells the supervisor, where there is one, that this process does its work now. */
export function announceReady(): void {
  process.send?.({ type: 'ready' });
}

/** Lets go of the supervisor's channel, which would keep this process alive while the supervisor listens. */
export function leaveSupervisor(): void {
  // It may be gone already: that is one of the reasons to stop.
  if (process.connected) process.disconnect();
}
