import { expect, test } from 'vitest';
import { fileInstance } from '../setup/file-instance.ts';
import { SWEEPS } from '../setup/instance.ts';
import { captured, smallSession } from '../setup/small-session.ts';
import { until } from '../setup/until.ts';
import { freePort, startWorkerProcess } from '../setup/worker-process.ts';

const TOKEN = 'a-token-for-scraping';
const instance = fileInstance(
  async () => ({
    RECOLLECT_SCRAPE_TOKEN: TOKEN,
    RECOLLECT_OTLP_ENDPOINT: `http://127.0.0.1:${await freePort()}`,
    RECOLLECT_TRACE_SHARE: '1',
    RECOLLECT_LOG_LEVEL: 'warn',
  }),
  SWEEPS,
);

/** Returns the dropped spans of the process that serves metrics on a port. */
async function droppedAt(port: number): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
  return Number(/^recollect_telemetry_dropped_total (\d+)$/m.exec(await answer.text())?.[1]);
}

test('a worker without its collector does its work, counts the spans that it drops, and stops', async () => {
  const port = await freePort();
  const worker = await startWorkerProcess({ ...instance.environment, RECOLLECT_WORKER_METRICS_PORT: String(port) });
  try {
    expect(await droppedAt(port)).toBe(0);
    await captured(instance, smallSession('traced'));
    const consumed = "sessions WHERE external_id = 'traced' AND consumed_seq = last_seq";
    await until(async () => ((await instance.count(consumed)) === 1 ? true : undefined), 120_000, 'the consumption');
    await until(async () => ((await droppedAt(port)) > 0 ? true : undefined), 120_000, 'dropped spans');
  } finally {
    expect(await worker.stop()).toBe(0);
  }
  expect(worker.log()).toContain('spans did not reach the collector');
}, 300_000);
