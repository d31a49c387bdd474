/** Milliseconds since the process started. Not `performance.now()`: its module takes a millisecond to load. */
export function elapsedMs(): number {
  return process.uptime() * 1_000;
}
