/** Resolves when this process must stop: on a signal, or when the supervisor that started it has exited. */
export function stopRequested(): Promise<string> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve('SIGTERM'));
    process.once('SIGINT', () => resolve('SIGINT'));
    process.once('disconnect', () => resolve('the supervisor has exited'));
  });
}

/** Reports to the supervisor, if there is one, that this process is ready. */
export function announceReady(): void {
  process.send?.({ type: 'ready' });
}

/** Closes the supervisor's channel, which would keep this process alive while the supervisor listens. */
export function leaveSupervisor(): void {
  // The supervisor may have exited already: that is one of the reasons to stop.
  if (process.connected) process.disconnect();
}
