/** What the work answers in time, or `late`. What comes later finds its signal aborted and nobody who reads it; a failure in time is thrown. */
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
    // A failure after the time is over concerns nobody any more.
    answer.catch(() => undefined);
    return await Promise.race([answer, over.promise]);
  } finally {
    clearTimeout(timer);
  }
}
