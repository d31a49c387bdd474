const SHORTEST_POLL_MS = 50;
const LONGEST_POLL_MS = 250;
/** A wait becomes at most this part longer. Most conditions are requests to an api on the same processors as what is awaited. */
const POLL_SHARE = 0.2;

/** What is awaited; a function is called when the wait is over, and returns what is there instead. */
type What = string | (() => Promise<string>);

/** What `until` returns. Not false: a condition, which `untilTrue` awaits, would be taken for met. */
type Found = object | string | number | true | null;

/** Returns the first value of `read` that is not undefined. Throws after `timeoutMs`. */
export async function until<Value extends Found>(
  read: () => Promise<Value | undefined>,
  timeoutMs = 120_000,
  what: What = 'the condition',
): Promise<Value> {
  const started = performance.now();
  for (;;) {
    const value = await read();
    if (value !== undefined) return value;
    const waitedMs = performance.now() - started;
    if (waitedMs > timeoutMs)
      throw new Error(`waited ${timeoutMs} ms for ${typeof what === 'string' ? what : await what()}`);
    const pollMs = Math.min(Math.max(waitedMs * POLL_SHARE, SHORTEST_POLL_MS), LONGEST_POLL_MS);
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** Awaits a condition. */
export async function untilTrue(condition: () => Promise<boolean>, timeoutMs?: number, what?: What): Promise<void> {
  await until(async () => (await condition()) || undefined, timeoutMs, what);
}
