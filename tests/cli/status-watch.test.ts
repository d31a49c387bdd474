import { describe, expect, test } from 'vitest';
import { ActivityReader, RECORDED_MS } from '../../cli/commands/instance/activity.ts';
import { liveRows, parsedScrape } from '../../cli/commands/instance/live-figures.ts';
import { ServerClient } from '../../cli/server/server-client.ts';
import { longLivedFolder } from '../infra/support/long-lived-folder.ts';
import { fileInstance } from '../setup/file-instance.ts';
import { captured, smallSession } from '../setup/small-session.ts';
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
  const recorded = (where: string) => instance.count(`audit_log WHERE ${where}`);

  test('writes to the audit log once a minute', async () => {
    const server = new ServerClient({ url: instance.url, apiKey: instance.admin.key });
    const reads = () => recorded("action IN ('GET /admin/backups', 'GET /gdpr/requests')");
    const [before, now, reader] = [await reads(), Date.now(), new ActivityReader()];
    const after: number[] = [];
    for (const passedMs of [0, 2_000, RECORDED_MS - 1, RECORDED_MS]) {
      expect(await reader.read(server, [], now + passedMs)).toMatchObject({ lastBackup: null, requests: { open: 0 } });
      after.push((await reads()) - before);
    }
    expect(after).toEqual([2, 2, 2, 4]);
  });

  test('is not requested again for a minute by a user who may not read it', async () => {
    const { key } = await instance.stranger({ role: 'user' });
    const server = new ServerClient({ url: instance.url, apiKey: key });
    const [now, reader] = [Date.now(), new ActivityReader()];
    expect(await reader.read(server, [], now)).toBeNull();
    const refusals = await recorded('status = 403');
    expect(refusals).toBeGreaterThan(0);
    expect(await reader.read(server, [], now + RECORDED_MS - 1)).toBeNull();
    expect(await recorded('status = 403')).toBe(refusals);
    expect(await reader.read(server, [], now + RECORDED_MS)).toBeNull();
    expect(await recorded('status = 403')).toBeGreaterThan(refusals);
  });
});
