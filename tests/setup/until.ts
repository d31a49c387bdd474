const POLL_MS = 50;

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
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await read();
    if (value !== undefined) return value;
    if (performance.now() > deadline)
      throw new Error(`waited ${timeoutMs} ms for ${typeof what === 'string' ? what : await what()}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Awaits a condition. */
export async function untilTrue(condition: () => Promise<boolean>, timeoutMs?: number, what?: What): Promise<void> {
  await until(async () => (await condition()) || undefined, timeoutMs, what);
}
