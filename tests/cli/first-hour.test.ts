import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { v7 } from 'uuid';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  ActivityReader,
  backupInProgress,
  activityRows,
  hooksOffer,
  newestSessions,
} from '../../cli/commands/instance/activity.ts';
import { ServerClient } from '../../cli/server/server-client.ts';
import { prepareDataDirectory } from '../../infra/instance/instance.ts';
import { identifyProcess } from '../../infra/supervisor/process-identity.ts';
import { writeState } from '../../infra/supervisor/state.ts';
import { testFolder } from '../infra/support/folder.ts';
import { longLivedFolder } from '../infra/support/long-lived-folder.ts';
import { startTestInstance } from '../setup/instance.ts';
import type { TestInstance } from '../setup/instance.ts';
import { captured, smallSession } from '../setup/small-session.ts';
import { until } from '../setup/until.ts';
import { table } from '../../cli/output.ts';
import { runProgram, writeCredentials } from './support/output.ts';

const dataDir = longLivedFolder();
let instance: TestInstance;
let server: ServerClient;

const run = (...args: string[]) => runProgram([...args, '--data-dir', dataDir], 80);

beforeAll(async () => {
  instance = await startTestInstance();
  writeCredentials(dataDir, instance);
  server = new ServerClient({ url: instance.url, apiKey: instance.admin.key });
});
afterAll(() => instance.close());

describe('what does not exist has one wording, and the command that lists what does', () => {
  test.each([
    [['search', 'words', '--project', 'nosuch'], 'No project nosuch. recollect projects lists them.\n'],
    [['context', '--project', 'nosuch'], 'No project nosuch. recollect projects lists them.\n'],
    [['learnings', '--project', 'nosuch'], 'No project nosuch. recollect projects lists them.\n'],
    [['sessions', '--project', 'nosuch'], 'No project nosuch. recollect projects lists them.\n'],
    [['get', 'zzzzzzzz'], 'No memory zzzzzzzz. recollect search WORDS finds memories.\n'],
    [['learnings', 'show', 'zzzzzzzz'], 'No learning zzzzzzzz. recollect learnings lists them.\n'],
    [['summary', 'nosuch'], 'No session nosuch. recollect sessions lists them.\n'],
    [['sessions', 'close', 'nosuch'], 'No session nosuch. recollect sessions lists them.\n'],
    [['sessions', 'capture', 'off', 'nosuch'], 'No session nosuch. recollect sessions lists them.\n'],
    [['backup', 'verify', 'nosuch'], 'No backup nosuch. recollect backup list shows them.\n'],
    [['legal-hold', 'release', 'nosuch'], 'No hold nosuch. recollect legal-hold list shows them.\n'],
    [['projects', 'merge', 'nosuch', 'two'], 'No project nosuch. recollect projects lists them.\n'],
    [['get', 'ZZZZZZZZ'], 'No memory zzzzzzzz. recollect search WORDS finds memories.\n'],
    [['get', 'aaaaaaaa', 'no-hash'], 'no-hash is neither the id nor the hash of a memory.\n'],
    [['forget', 'zzzzzzzz'], 'No memory zzzzzzzz. recollect search WORDS finds memories.\n'],
    [['forget', 'toolu_1', 'zzzzzzzz'], 'No event toolu_1. recollect search WORDS finds memories.\n'],
  ] as const)('%j', async (args, errors) => {
    expect(await run(...args)).toMatchObject({ code: 1, errors });
  });
});

test('an invalid option or argument is named as it was typed', async () => {
  expect((await run('search', 'x', '--limit', '100')).errors).toBe('--limit must be at most 50.\n');
  const moment = 'takes a day (2026-01-02) or a time (2026-01-02T03:04:05Z)';
  expect((await run('search', 'x', '--since', 'yesterday')).errors).toBe(
    `--since ${moment}; words belong into the query, as since:yesterday.\n`,
  );
  expect((await run('learnings', '--as-of', 'soon')).errors).toBe(`--as-of ${moment}.\n`);
  expect((await run('search', '')).errors).toBe('The query must have 1 to 500 characters.\n');
  const long = 'The text must have 1 to 65536 bytes.\n';
  expect((await run('remember', '')).errors).toBe(long);
  expect((await run('remember', 'a'.repeat(65_537))).errors).toBe(long);
  expect((await run('remember', 'ä'.repeat(32_769))).errors).toBe(long);
  expect((await run('learnings', 'correct', 'zzzzzzzz')).errors).toBe(
    'Name what to correct: --title or --description.\n',
  );
});

test('the activity lists which agents send events, what is stuck, when backups are made, and what today cost', async () => {
  const now = Date.now();
  expect(await hooksOffer(server, { HOME: '/nonexistent' })).toMatch(
    /^No agent is connected yet\. recollect install claude-code/,
  );
  expect(await backupInProgress(server)).toBe('');
  await captured(instance, smallSession('first-hour'));
  const id = v7();
  await instance.db.superuser.query("INSERT INTO backups (id, workflow_id, state) VALUES ($1, 'w', 'running')", [id]);
  expect(await hooksOffer(server, { HOME: '/nonexistent' })).toBe('');
  expect(await backupInProgress(server)).toBe(`Backup ${id} is in progress: it continues after the next start.\n`);
  const reader = new ActivityReader();
  // On a busy machine Temporal may not answer in time.
  const activity = await until(
    async () => (await reader.read(server, (await newestSessions(server)) ?? [], now)) ?? undefined,
  );
  expect(activity).toMatchObject({
    lastEvents: [{ agent: 'test' }],
    stuck: [],
    lastBackup: { id, state: 'running' },
    today: { tokens: 0, usd: 0 },
  });
  const text = table(activityRows({ ...activity, nextBackup: '2026-01-02T03:04:05.000Z' }, now, false));
  expect(text).toMatch(
    /^last events +test \S+ ago\nstuck +nothing\nbackup +running .*, next 2026-01-02 03:04 UTC\ntoday +\$0\.00, 0 of /,
  );
  const unreachable = new ServerClient({ url: 'http://127.0.0.1:9', apiKey: 'x' });
  expect(await newestSessions(unreachable)).toBeNull();
  expect(await new ActivityReader().read(unreachable, [], now)).toBeNull();
});

test('a project that is merged into itself, a second one that does not exist, and a session without --session are named', async () => {
  expect(await run('projects', 'merge', '/src/small', '/src/small')).toMatchObject({
    code: 1,
    errors: '/src/small is the same project.\n',
  });
  expect((await run('projects', 'merge', '/src/small', 'nosuch')).errors).toBe(
    'No project nosuch. recollect projects lists them.\n',
  );
  expect(await run('forget', 'test:first-hour', '--dry-run')).toMatchObject({
    code: 1,
    errors: 'test:first-hour is a session. To forget it: recollect forget --session test:first-hour\n',
  });
  expect((await run('forget', '--session', 'test:first-hour', '--dry-run')).text).toMatch(/ {2}2 prompts\n/);
});

test('status offers to add the hooks until they are in the settings of an agent', async () => {
  const home = testFolder();
  const dataDir = path.join(home, 'data');
  const credentials = { url: instance.url, api_key: instance.admin.key, agent_api_key: 'a', agent_write_api_key: 'w' };
  const layout = prepareDataDirectory(dataDir);
  writeFileSync(path.join(dataDir, 'credentials.json'), JSON.stringify(credentials));
  const supervisor = identifyProcess(process.pid) ?? { pid: 0, startTime: '' };
  writeFileSync(layout.lockFile, JSON.stringify(supervisor));
  writeState(layout.stateFile, { supervisor, phase: 'running', startedAt: '', url: instance.url, nodes: {} });
  await instance.db.superuser.query('TRUNCATE sessions CASCADE');
  const typed = (...args: string[]) => runProgram([...args, '--data-dir', dataDir], 80, { HOME: home });
  const shows = async (line: RegExp): Promise<void> => {
    await expect.poll(async () => (await typed('status')).text).toMatch(line);
  };
  await shows(/^last events +none yet; recollect install claude-code adds the hooks$/m);
  expect(await hooksOffer(server, { HOME: home })).toMatch(/^No agent is connected yet/);
  expect(await typed('install', 'codex-cli')).toMatchObject({ code: 0 });
  await shows(/^last events +none yet$/m);
  expect(await hooksOffer(server, { HOME: home })).toBe('');
});
