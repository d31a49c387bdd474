/** Returns the result of `work`, or `late` after the timeout: its signal is then aborted and its result ignored. A failure in time is thrown. */
export async function inTime<Result>(
  timeoutMs: number,
  late: Result,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const ended = new AbortController();
  const timer = setTimeout(() => ended.abort(), timeoutMs);
  const over = Promise.withResolvers<Result>();
  ended.signal.addEventListener('abort', () => over.resolve(late), { once: true });
  try {
    const answer = work(ended.signal);
    // Ignore a failure after the timeout.
    answer.catch(() => undefined);
    return await Promise.race([answer, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
