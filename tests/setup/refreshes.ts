import type { TestInstance } from './instance.ts';

const SERIES = /^recollect_auth_refresh_total\{result="(\w+)"\} (\d+)$/gm;

async function counted(instance: Pick<TestInstance, 'get'>): Promise<Record<string, number>> {
  const text = String((await instance.get('/metrics')).body);
  return Object.fromEntries([...text.matchAll(SERIES)].map(([, result = '', count]) => [result, Number(count)]));
}

/** Returns a function that returns how many refreshes of each result an api counted since. */
export async function countRefreshes(
  instance: Pick<TestInstance, 'get'>,
): Promise<() => Promise<Record<string, number>>> {
  const before = await counted(instance);
  return async () =>
    Object.fromEntries(
      Object.entries(await counted(instance)).map(([result, count]) => [result, count - (before[result] ?? 0)]),
    );
}
