import type { TestInstance } from './instance.ts';
import { until } from './until.ts';

/** Scrapes the api until its metrics match; figures that are late are part of the next scrape. Returns the match. */
export function scraped(instance: Pick<TestInstance, 'get'>, pattern: RegExp): Promise<RegExpExecArray> {
  return until(
    async () => pattern.exec(String((await instance.get('/metrics')).body)) ?? undefined,
    60_000,
    String(pattern),
  );
}
