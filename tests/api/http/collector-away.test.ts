import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withoutWorkerSettings } from '../../../config/config.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { startOtlpReceiver } from '../../setup/otlp-receiver.ts';
import type { OtlpReceiver } from '../../setup/otlp-receiver.ts';
import { untilTrue } from '../../setup/until.ts';
import { freePort, startService } from '../../setup/worker-process.ts';
import type { ServiceProcess } from '../../setup/worker-process.ts';

/** Limit for a hang: two processes and their hooks take half a minute. */
const BUSY_MS = 400_000;
const instance = fileInstance();
let collector: OtlpReceiver;

beforeAll(async () => {
  collector = await startOtlpReceiver();
});
afterAll(() => collector.close());

interface Api {
  readonly url: string;
  readonly process: ServiceProcess;
}

async function startApi(settings: Readonly<Record<string, string>>): Promise<Api> {
  const port = await freePort();
  const environment = {
    ...instance.environment,
    RECOLLECT_HTTP_PORT: String(port),
    RECOLLECT_LOG_LEVEL: 'info',
    ...settings,
  };
  const process = await startService('api/main.ts', withoutWorkerSettings(environment));
  return { url: `http://127.0.0.1:${port}/api/v1`, process };
}

const headers = () => ({ authorization: `Bearer ${instance.admin.key}`, 'content-type': 'application/json' });

const HOOKS = 60;

/** Captures a hook; returns its time in ms. */
async function timeOf({ url }: Api, session: string, n: number): Promise<number> {
  const body = JSON.stringify({ session_id: session, hook_event_name: 'UserPromptSubmit', prompt: `Row ${n}` });
  const started = performance.now();
  const answer = await fetch(`${url}/hooks/UserPromptSubmit`, { method: 'POST', headers: headers(), body });
  await answer.arrayBuffer();
  const ms = performance.now() - started;
  expect(answer.status).toBe(200);
  return ms;
}

/** Captures hooks, one after another and by turns, so that other work on the machine delays all alike; returns the median of each in ms. */
async function mediansOf(apis: readonly Api[], session: string): Promise<number[]> {
  const times = apis.map((): number[] => []);
  for (let n = 0; n < HOOKS; n += 1)
    for (const [index, api] of apis.entries()) times[index]?.push(await timeOf(api, `${session}-${index}`, n));
  return times.map((each) => each.toSorted((a, b) => a - b)[HOOKS / 2] ?? Number.NaN);
}

async function droppedOf({ url }: Api): Promise<number> {
  const text = await (await fetch(`${url}/metrics`, { headers: headers() })).text();
  return Number(/^recollect_telemetry_dropped_total (\d+)$/m.exec(text)?.[1]);
}

/** Stops a process; returns how long that took in ms. */
async function stopped({ process }: Api): Promise<number> {
  const started = performance.now();
  expect(await process.stop()).toBe(0);
  return performance.now() - started;
}

describe('with every request traced and a collector that', () => {
  test.each([
    ['is absent', async () => `http://127.0.0.1:${await freePort()}`, 200],
    ['answers 500', async () => collector.url, 500],
    ['never answers', async () => collector.url, null],
  ])(
    '%s, captures and the end are as fast as without, and lost spans are counted',
    async (what, urlOf, status) => {
      collector.status = status;
      const untraced = await startApi({});
      const traced = await startApi({ RECOLLECT_OTLP_ENDPOINT: await urlOf(), RECOLLECT_TRACE_SHARE: '1' });
      const session = what.replaceAll(' ', '-');
      // A second of `close`, the rest for a busy machine: an exporter that waits for its collector took six seconds.
      const limitMs = 4_000;
      await mediansOf([traced], `${session}-first`);
      const [usual = 0, median] = await mediansOf([untraced, traced], session);
      // Generous: the machine is shared. Waiting for the collector would take two seconds and more.
      expect(median).toBeLessThan(Math.max(usual * 3, 500));
      await untilTrue(async () => (await droppedOf(traced)) > 0);
      expect(await droppedOf(untraced)).toBe(0);
      // At the same time, so that other work on the machine delays both.
      const [usualEnd, end] = await Promise.all([stopped(untraced), stopped(traced)]);
      expect(end).toBeLessThan(usualEnd + limitMs);
      const has = (api: Api, text: string) => api.process.log().includes(text);
      expect([has(traced, 'spans did not reach the collector'), has(untraced, '"trace_id"')]).toEqual([true, false]);
      const lines = traced.process.log().split('\n');
      const answered = lines.filter((line) => line.includes('/hooks/') && line.includes('"answered"'));
      expect(answered.filter((line) => !line.includes('"trace_id"'))).toEqual([]);
    },
    BUSY_MS,
  );
});
