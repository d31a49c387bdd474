import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { progressLine, summaryText } from '../../cli/import/report.ts';
import { addCounts, noCounts } from '../../domain/transcripts/counts.ts';
import { transcriptOf } from '../domain/transcripts/support/from-hooks.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { hooksOf, sources } from '../transcripts/compare.ts';
import { transcriptFolderOf } from '../transcripts/folder.ts';
import type { TranscriptFolder } from '../transcripts/folder.ts';
import { runCli } from './support/run-cli.ts';

let home: TranscriptFolder;
let elsewhere: TranscriptFolder;
let instance: TestInstance;
let dataDir: string;
let environment: Record<string, string>;

beforeAll(async () => {
  home = transcriptFolderOf();
  elsewhere = transcriptFolderOf();
  dataDir = path.join(home.root, 'data');
  mkdirSync(dataDir);
  mkdirSync(path.join(home.root, 'projects'));
  instance = await startTestInstance({ CLAUDE_CONFIG_DIR: home.root });
  writeFileSync(
    path.join(dataDir, 'credentials.json'),
    JSON.stringify({
      url: instance.url,
      api_key: instance.admin.key,
      admin: { username: 'a', password: 'unused-here' },
    }),
  );
  environment = { CLAUDE_CONFIG_DIR: home.root, RECOLLECT_DATA_DIR: dataDir, RECOLLECT_URL: '', RECOLLECT_API_KEY: '' };
});
afterAll(async () => {
  await instance.close();
  home.remove();
  elsewhere.remove();
});

describe('recollect import transcripts', { timeout: 240_000 }, () => {
  test('lets the server read the user’s transcripts, and prints the result', async () => {
    home.write('projects/-src/one.jsonl', [...transcriptOf(hooksOf('one')), 'nonsense']);
    home.write('projects/-src/two.jsonl', transcriptOf(hooksOf('two')));
    const stop = await instance.startWorker();
    const { exitCode, output } = await runCli(['import', 'transcripts'], environment).ended;
    expect({ exitCode, output }).toMatchObject({ exitCode: 0 });
    expect(output).toContain(`Reading ${path.join(home.root, 'projects')}`);
    expect(output).toMatch(/\+ transcripts: \[#{24}\] 2 of 2 files, \d+ lines, \d+ added/);
    expect(output).toMatch(/ {4}not JSON +1/);
    expect((await sources(instance, 'one'))['transcript']).toBeGreaterThan(50);
    const again = await runCli(['import', 'transcripts'], environment).ended;
    expect(again.output).toMatch(/ {4}unchanged +2 +read before/);
    expect(again.output).toMatch(/ {2}added +0/);
    await stop();
    // The hook client names the machine, transcripts cannot: both are one project.
    const [first] = hooksOf('later');
    await instance.post('/hooks/SessionStart', { ...first, root: first?.cwd, machine_id: randomUUID() });
    expect(await instance.count('projects')).toBe(1);
  });

  test('Ctrl-C leaves the import running and prints the commands to show and cancel it', async () => {
    // Without a worker the import cannot end.
    const run = runCli(['import', 'transcripts', '--follow'], environment);
    await run.shows('. transcripts:');
    run.child.kill('SIGINT');
    const { exitCode, output } = await run.ended;
    expect(exitCode).toBe(130);
    const id = /recollect import status (\S+)/.exec(output)?.[1] ?? '';
    const status = await runCli(['import', 'status', id], environment).ended;
    expect(status).toMatchObject({ exitCode: 0 });
    expect(status.output).toContain('The import is running.');
    const stop = await instance.startWorker();
    const cancelled = await runCli(['import', 'cancel', id], environment).ended;
    expect(cancelled).toEqual({ exitCode: 0, output: expect.stringContaining('Import cancelled') });
    await stop();
  });

  test('sends files that the server may not read, of another folder or to a remote server', async () => {
    elsewhere.write('-src/three.jsonl', transcriptOf(hooksOf('three')));
    const other = await runCli(['import', 'transcripts', elsewhere.root], environment).ended;
    expect({ ...other }).toMatchObject({ exitCode: 0 });
    expect(other.output).toContain(`Sending ${elsewhere.root}`);
    expect((await sources(instance, 'three'))['transcript']).toBeGreaterThan(50);
    const remote = { ...environment, RECOLLECT_URL: instance.url, RECOLLECT_API_KEY: instance.admin.key };
    const again = await runCli(['import', 'transcripts', elsewhere.root], remote).ended;
    expect(again.output).toMatch(/ {4}unchanged +1/);
  });

  test('reports a missing folder, instance, server or import', async () => {
    const nothing = await runCli(['import', 'transcripts', path.join(home.root, 'nothing')], environment).ended;
    expect(nothing).toMatchObject({ exitCode: 1 });
    expect(nothing.output).toContain('Folder');
    const empty = path.join(home.root, 'empty');
    mkdirSync(empty);
    const none = await runCli(['import', 'transcripts', empty], { ...environment, RECOLLECT_DATA_DIR: empty }).ended;
    expect(none).toMatchObject({ exitCode: 3 });
    const unreachable = { ...environment, RECOLLECT_URL: 'http://127.0.0.1:9', RECOLLECT_API_KEY: 'unknown-key' };
    home.write('projects/-src/one.jsonl', transcriptOf(hooksOf('one')));
    const failed = await runCli(['import', 'transcripts'], unreachable).ended;
    expect(failed).toMatchObject({ exitCode: 3 });
    expect(failed.output).toContain('is unreachable');
    const unknown = await runCli(['import', 'status', '018f0000-0000-7000-8000-00000000000c'], environment).ended;
    expect(unknown).toMatchObject({ exitCode: 1 });
    expect(unknown.output).toContain('No import. recollect jobs --kind import lists them.');
  });
});

describe('the output of an import', () => {
  const counts = { ...noCounts(), lines: 12_345, added: 7, truncated: 1, repeated: 2 };
  const files = { total: 40, done: 8, unchanged: 1, waiting: 1, unreadable: 0 };

  test('shows a bar of processed files', () => {
    expect(progressLine(files, counts)).toBe('[######------------------] 10 of 40 files, 12,345 lines, 7 added');
    expect(progressLine({ ...files, total: 0 }, noCounts())).toContain('[------------------------] ');
  });

  test('is a table with the reasons that occur', () => {
    const text = summaryText(files, addCounts(counts, counts));
    expect(text).toMatch(/ {2}lines +24,690\n/);
    expect(text).toMatch(/ {2}skipped +6\n/);
    expect(text).toContain('truncated');
    expect(text).not.toContain('too large');
  });
});
