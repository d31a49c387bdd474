import { describe, expect, test } from 'vitest';
import { liveRows, parsedScrape } from '../../cli/commands/instance/live-figures.ts';
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
