const POLL_MS = 50;

/** Awaits a condition: resolves with the first value that is not undefined, or fails with what was last seen after `timeoutMs`. */
export async function until<Value>(
  look: () => Promise<Value | undefined>,
  timeoutMs = 120_000,
  what = 'the condition',
): Promise<Value> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await look();
    if (value !== undefined) return value;
    if (performance.now() > deadline) throw new Error(`${what} did not come true within ${timeoutMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
