/** Returns milliseconds since the process start. Not `performance.now()`, whose module takes 1 ms to load. */
export function elapsedMs(): number {
  return process.uptime() * 1_000;
}
