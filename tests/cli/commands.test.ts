import { spawnSync } from 'node:child_process';
import { appendFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { expect, test } from 'vitest';
import { down } from '../../cli/commands/instance/up.ts';
import { logs } from '../../cli/commands/instance/logs.ts';
import { statusReport } from '../../cli/commands/instance/status.ts';
import { createProgram } from '../../cli/program.ts';
import { prepareDataDirectory } from '../../infra/instance/instance.ts';
import { identifyProcess } from '../../infra/supervisor/process-identity.ts';
import { writeState } from '../../infra/supervisor/state.ts';
import { serve } from '../infra/support/file-server.ts';
import { testFolder } from '../infra/support/folder.ts';
import { recordOutput, runProgram } from './support/output.ts';
import { runCli } from './support/run-cli.ts';

const self = identifyProcess(process.pid) ?? { pid: 0, startTime: '' };
const ended = { pid: 2 ** 22, startTime: 'long ago' };
const node = { kind: 'service', stopSignal: 'SIGTERM', restarts: 0, since: '2026-01-01T00:00:00.000Z' } as const;

test('status of an unused folder, a running instance, and a killed one', () => {
  const layout = prepareDataDirectory(testFolder());
  expect(statusReport(layout.dataDir)).toMatchObject({ running: false, phase: 'never started', services: [] });
  const nodes = {
    store: { ...node, status: 'ready', process: self },
    migrate: { ...node, kind: 'step' as const, status: 'ready' as const },
  } as const;
  writeFileSync(layout.lockFile, JSON.stringify(self));
  writeState(layout.stateFile, { supervisor: self, phase: 'running', startedAt: '', url: 'http://here', nodes });
  expect(statusReport(layout.dataDir)).toEqual({
    running: true,
    phase: 'running',
    dataDir: layout.dataDir,
    url: 'http://here',
    supervisorPid: process.pid,
    error: null,
    services: [{ name: 'store', status: 'ready', pid: process.pid, restarts: 0, since: node.since, detail: null }],
  });
  writeFileSync(layout.lockFile, JSON.stringify(ended));
  expect(statusReport(layout.dataDir)).toMatchObject({
    running: false,
    phase: 'killed',
    url: null,
    services: [{ status: 'left over', pid: process.pid }],
  });
});

test('status prints text or JSON, and its exit code reports the state', async () => {
  const layout = prepareDataDirectory(testFolder());
  const state = {
    supervisor: ended,
    phase: 'failed',
    startedAt: '',
    error: 'no disk',
    nodes: { store: { ...node, status: 'restarting', restarts: 3, detail: 'it ended' } },
  } as const;
  writeState(layout.stateFile, state);
  const person = await runProgram(['status', '--data-dir', layout.dataDir]);
  expect(person.code).toBe(3);
  expect(person.text).toBe(
    `Recollect: failed\ndata: ${layout.dataDir}\n  store  stopped  -  restarted 3 times  it ended\nerror: no disk\n`,
  );
  const program = await runProgram(['status', '--json', '--data-dir', layout.dataDir]);
  expect(JSON.parse(program.text)).toMatchObject({ running: false, error: 'no disk' });
});

test('down succeeds without an instance', async () => {
  const context = recordOutput();
  expect(await down(path.join(testFolder(), 'never'), context)).toBe(0);
  expect(context.text()).toBe('The instance is not running.\n');
});

test('logs prints the last lines of one service, or of all with their names', async () => {
  const layout = prepareDataDirectory(testFolder());
  writeFileSync(path.join(layout.logs, 'api.log'), 'a1\na2\na3\n');
  writeFileSync(path.join(layout.logs, 'worker.log'), 'w1\n');
  const signal = new AbortController().signal;
  const one = recordOutput();
  expect(await logs('api', { dataDir: layout.dataDir, lines: 2 }, one, signal)).toBe(0);
  expect(one.text()).toBe('a2\na3\n');
  const all = recordOutput();
  await logs(undefined, { dataDir: layout.dataDir, lines: 1 }, all, signal);
  expect(all.text()).toBe('api        a3\nworker     w1\n');
  const none = recordOutput();
  expect(await logs('mysql', { dataDir: layout.dataDir, lines: 1 }, none, signal)).toBe(1);
  expect(none.errors()).toContain('Available: api, worker.');
});

test('logs --follow prints complete lines, also across a rotation, until it is stopped', async () => {
  const layout = prepareDataDirectory(testFolder());
  const file = path.join(layout.logs, 'api.log');
  writeFileSync(file, 'old\n');
  const stop = new AbortController();
  const context = recordOutput();
  const following = logs('api', { dataDir: layout.dataDir, lines: 5, follow: true }, context, stop.signal);
  appendFileSync(file, 'new\nhalf');
  await expect.poll(() => context.text()).toBe('old\nnew\n');
  appendFileSync(file, ' done\n');
  await expect.poll(() => context.text()).toBe('old\nnew\nhalf done\n');
  writeFileSync(file, 'cut\n');
  await expect.poll(() => context.text()).toBe('old\nnew\nhalf done\ncut\n');
  stop.abort();
  expect(await following).toBe(0);
});

test.each([
  [['up', '--port', '70000'], 'Expected an integer from 1 to 65535'],
  [['logs', '--lines', 'many'], 'Expected an integer from 0 to'],
  [['fly'], "unknown command 'fly'"],
  [['correct', 'k7q2mzda'], '(Did you mean recollect learnings correct?)'],
  [['verify'], '(Did you mean recollect learnings verify or recollect audit verify or recollect backup verify?)'],
  [['serach'], '(Did you mean search?)'],
  [['import'], 'Usage: recollect import'],
])('rejects %j with a reason', async (args, reason) => {
  const { exitCode, output } = await runCli(args).ended;
  expect(exitCode).toBe(1);
  expect(output).toContain(reason);
});

test.each([['--version'], ['-V'], ['version']])('%s prints the version', async (word) => {
  const { version } = createRequire(import.meta.url)('../../package.json') as { version: string };
  expect(await runCli([word]).ended).toEqual({ exitCode: 0, output: `${version}\n` });
});

test('import FILE uses the data directory of its option, else of the environment', async () => {
  const missing = (folder: string) => ({
    exitCode: 3,
    output: `There is no instance in ${folder} yet. Start one with recollect up (npm start in a clone).\n`,
  });
  const environment = { RECOLLECT_DATA_DIR: '/no/such' };
  expect(await runCli(['import', 'memory.ndjson.zst'], environment).ended).toEqual(missing('/no/such'));
  for (const words of [
    ['import', 'memory.ndjson.zst', '--data-dir', '/no/other'],
    ['import', '--data-dir', '/no/other', 'memory.ndjson.zst'],
    ['import', 'file', 'memory.ndjson.zst', '--data-dir', '/no/other'],
  ])
    expect(await runCli(words, environment).ended).toEqual(missing('/no/other'));
});

test('every command accepts --data-dir', () => {
  const output = { out: () => undefined, err: () => undefined, columns: null, hasColours: false };
  const { commands } = createProgram({ environment: {}, output }, () => undefined);
  expect(commands.map((command) => command.name())).toEqual(
    expect.arrayContaining(['up', 'down', 'status', 'logs', 'doctor', 'install', 'sessions', 'spool']),
  );
  const without = commands
    .flatMap((command) =>
      (command.commands.length > 0 ? command.commands : [command]).map((leaf) => ({ command, leaf })),
    )
    .filter(
      ({ command, leaf }) => ![...command.options, ...leaf.options].some((option) => option.long === '--data-dir'),
    );
  expect(without.map(({ command, leaf }) => `${command.name()} ${leaf.name()}`)).toEqual([]);
});

test('up fails with one message and no process for a newer data directory, a wrong engine path and a taken port', async () => {
  const layout = prepareDataDirectory(testFolder());
  const wrong = await runCli(['up', '--data-dir', layout.dataDir], { RECOLLECT_WEAVIATE_SERVER: '/no/such' }).ended;
  expect(wrong).toMatchObject({
    exitCode: 1,
    output: expect.stringContaining('RECOLLECT_WEAVIATE_SERVER names /no/such'),
  });
  expect(wrong.output).not.toContain('    at ');
  const port = new URL(await serve(() => undefined)).port;
  const taken = await runCli(['up', '--data-dir', layout.dataDir, '--port', port]).ended;
  expect(taken).toMatchObject({ exitCode: 1, output: expect.stringContaining(`Port ${port} is in use`) });
  writeFileSync(layout.versionFile, '{"layout": 99, "createdAt": "later"}');
  const newer = await runCli(['up', '--data-dir', layout.dataDir]).ended;
  expect(newer).toMatchObject({ exitCode: 1, output: expect.stringContaining('newer version') });
  expect(statusReport(layout.dataDir).supervisorPid).toBeNull();
});

test('the launcher runs the CLI with this Node', () => {
  const launcher = path.resolve(import.meta.dirname, '../../cli/bin.mjs');
  const run = spawnSync(process.execPath, [launcher, 'status', '--data-dir', '/no/such'], { encoding: 'utf8' });
  expect(run.stdout).toContain('Recollect: never started');
  expect(run.status).toBe(3);
});

// /proc refuses new folders with ENOENT; a system without it refuses the path, too.
test('up in a folder that cannot be created ends at once with the remedy', () => {
  const cli = path.resolve(import.meta.dirname, '../../cli/main.ts');
  for (const folder of ['/proc/nope', '/proc/nope/deeper']) {
    const ran = spawnSync(process.execPath, [cli, 'up', '--data-dir', folder], { encoding: 'utf8' });
    expect(ran).toMatchObject({ status: 1, signal: null });
    expect(ran.stderr).toMatch(
      new RegExp(`^The data directory ${folder} cannot be used: E.*\\. Choose another with --data-dir\\.\\n$`),
    );
  }
});
