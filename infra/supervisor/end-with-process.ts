const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const running = new Set<() => void>();

function killAll(): void {
  for (const kill of running) kill();
}

/** A signal without a listener ends the process without exit handlers, so children are ended here. With other listeners, they decide. */
function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  killAll();
  process.removeListener(signal, onSignal);
  process.kill(process.pid, signal);
}

/** Calls `kill` synchronously at any detectable end of this process. Returns a function that unregisters it. */
export function endWithProcess(kill: () => void): () => void {
  if (running.size === 0) {
    process.on('exit', killAll);
    for (const signal of SIGNALS) process.on(signal, onSignal);
  }
  running.add(kill);
  return () => {
    if (!running.delete(kill) || running.size > 0) return;
    process.removeListener('exit', killAll);
    for (const signal of SIGNALS) process.removeListener(signal, onSignal);
  };
}
