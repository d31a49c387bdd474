const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const running = new Set<() => void>();

function killAll(): void {
  for (const kill of running) kill();
}

/** A signal that nobody else listens to ends a process without its exit handlers: children are ended first. Whoever listens decides alone. */
function onSignal(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  killAll();
  process.removeListener(signal, onSignal);
  process.kill(process.pid, signal);
}

/** Has `kill` called, synchronously, when this process ends in any way that it can notice, until what is returned is called. */
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
