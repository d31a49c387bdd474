import { describe, expect, test } from 'vitest';
import { ActivityReader, RECORDED_MS } from '../../cli/commands/instance/activity.ts';
import { LiveReader, liveRows, parsedScrape } from '../../cli/commands/instance/live-figures.ts';
import { ServerClient } from '../../cli/server/server-client.ts';
import { longLivedFolder } from '../infra/support/long-lived-folder.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { captured, smallSession } from '../setup/small-session.ts';
import { until, untilTrue } from '../setup/until.ts';
import { writeCredentials } from './support/output.ts';
import { runCli } from './support/run-cli.ts';

const instance = fileInstance();
const dataDir = longLivedFolder();
const counts = (captures: number, searches = 0, requests = 0) => ({ captures, searches, requests });

describe('live figures', () => {
  test('are read from the format of Prometheus, with labels and exponents', () => {
    const scrape = parsedScrape('# HELP a b\na{state="x",n="1 2"} 3\na{state="y"} 1.5e3\nb 0 1700000000000\n\n');
    expect(scrape.get('a')).toEqual([
      { labels: '{state="x",n="1 2"}', value: 3 },
      { labels: '{state="y"}', value: 1_500 },
    ]);
    expect(scrape.get('b')).toEqual([{ labels: '', value: 0 }]);
  });

  test('name the backlog and the memory of each process', () => {
    const behind = { sessions: 2, rows: 1_234, oldest_s: 7, windows: 1, vectors: 0 };
    expect(liveRows({ rates: counts(1.25, 0.5, 3), behind, memory_mib: { api: 120, worker: 1_000 } })).toEqual([
      ['rates', 'captures 1.3/s, searches 0.5/s, requests 3.0/s'],
      ['behind', '2 sessions in progress; 1,234 rows to consume, the oldest for 7 s; 1 windows, 0 vectors'],
      ['memory', '1,120 MiB: api 120, worker 1,000'],
    ]);
  });
});

test('status --watch shows figures again and again until it is stopped', async () => {
  writeCredentials(dataDir, instance);
  const watch = runCli(['status', '--watch', '--interval', '1', '--data-dir', dataDir]);
  await watch.shows('after the next figures');
  await captured(instance, smallSession('watched'));
  await watch.shows('behind');
  await watch.shows('searches 0.0/s');
  watch.child.kill('SIGINT');
  const { exitCode, output } = await watch.ended;
  // The server of this test has no supervisor.
  expect(exitCode).toBe(3);
  expect(output).toMatch(/captures \d+\.\d\/s/);
});

describe('the activity of an instance that is watched', () => {
  /** Awaits the number of rows of the audit log since a count: other requests of a view end after the first that fails. */
  const rowsSince = (before: number, where: string, rows: number) =>
    untilTrue(async () => (await instance.count(`audit_log WHERE ${where}`)) - before === rows, 60_000, `${rows} rows`);

  test('writes to the audit log once a minute', async () => {
    const server = new ServerClient({ url: instance.url, apiKey: instance.admin.key });
    const where = "action IN ('GET /admin/backups', 'GET /gdpr/requests')";
    const [before, now, reader] = [await instance.count(`audit_log WHERE ${where}`), Date.now(), new ActivityReader()];
    for (const [passedMs, rows] of [
      [0, 2],
      [2_000, 2],
      [RECORDED_MS - 1, 2],
      [RECORDED_MS, 4],
    ] as const) {
      const activity = await until(async () => (await reader.read(server, [], now + passedMs)) ?? undefined);
      expect(activity).toMatchObject({ lastBackup: null, requests: { open: 0 } });
      await rowsSince(before, where, rows);
    }
  });

  test('is not requested again for a minute by a user who may not read it', async () => {
    const { key } = await instance.stranger({ role: 'user' });
    const server = new ServerClient({ url: instance.url, apiKey: key });
    const [before, now] = [await instance.count('audit_log WHERE status = 403'), Date.now()];
    const [reader, live] = [new ActivityReader(), new LiveReader()];
    for (const [passedMs, rows] of [
      [0, 3],
      [RECORDED_MS - 1, 3],
      [RECORDED_MS, 5],
    ] as const) {
      expect([await live.read(server, []), await reader.read(server, [], now + passedMs)]).toEqual([null, null]);
      await rowsSince(before, 'status = 403', rows);
    }
  });
});
