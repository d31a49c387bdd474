import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { withoutWorkerSettings } from '../../../config/config.ts';
import { fileInstance } from '../../setup/file-instance.ts';
import { startOtlpReceiver } from '../../setup/otlp-receiver.ts';
import type { OtlpReceiver } from '../../setup/otlp-receiver.ts';
import { untilTrue } from '../../setup/until.ts';
import { freePort, startService } from '../../setup/worker-process.ts';
import type { ServiceProcess } from '../../setup/worker-process.ts';

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

/** Captures hooks one after another; returns the median of their times in ms. */
async function medianOf({ url }: Api, session: string): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < 60; n += 1) {
    const body = JSON.stringify({ session_id: session, hook_event_name: 'UserPromptSubmit', prompt: `Row ${n}` });
    const started = performance.now();
    const answer = await fetch(`${url}/hooks/UserPromptSubmit`, { method: 'POST', headers: headers(), body });
    await answer.arrayBuffer();
    times.push(performance.now() - started);
    expect(answer.status).toBe(200);
  }
  return times.toSorted((a, b) => a - b)[30] ?? Number.NaN;
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
  ])('%s, captures and the end are as fast as without, and lost spans are counted', async (what, urlOf, status) => {
    collector.status = status;
    const untraced = await startApi({});
    const traced = await startApi({ RECOLLECT_OTLP_ENDPOINT: await urlOf(), RECOLLECT_TRACE_SHARE: '1' });
    const session = what.replaceAll(' ', '-');
    // A second of `close`, the rest for a busy machine: an exporter that waits for its collector took six seconds.
    const limitMs = 4_000;
    await medianOf(traced, `${session}-first`);
    const before = await medianOf(untraced, `${session}-untraced`);
    // Generous: the machine is shared. Waiting for the collector would take two seconds and more.
    expect(await medianOf(traced, session)).toBeLessThan(Math.max(before * 3, 500));
    await untilTrue(async () => (await droppedOf(traced)) > 0, 60_000);
    expect(await droppedOf(untraced)).toBe(0);
    const usual = await stopped(untraced);
    expect(await stopped(traced)).toBeLessThan(usual + limitMs);
    const has = (api: Api, text: string) => api.process.log().includes(text);
    expect([has(traced, 'spans did not reach the collector'), has(untraced, '"trace_id"')]).toEqual([true, false]);
    const lines = traced.process.log().split('\n');
    const answered = lines.filter((line) => line.includes('/hooks/') && line.includes('"answered"'));
    expect(answered.filter((line) => !line.includes('"trace_id"'))).toEqual([]);
  });
});
