import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { type StatusReport, statusReport } from '../../cli/commands/instance/status.ts';
import { readOrCreateSecrets } from '../../infra/instance/secrets.ts';
import { isAlive, type ProcessIdentity } from '../../infra/supervisor/process-identity.ts';
import { readState } from '../../infra/supervisor/state.ts';
import { longLivedFolder } from '../infra/support/long-lived-folder.ts';
import { runCli } from './support/run-cli.ts';

const dataDir = path.join(longLivedFolder(), 'data');
/** Keys in the environment of `up`. */
const KEYS = { RECOLLECT_BACKUP_KEY: randomBytes(32).toString('base64'), ANTHROPIC_API_KEY: 'sk-of-the-provider' };
const SERVICES = ['postgres', 'temporal', 'weaviate', 'worker', 'api'];

afterAll(async () => void (await runCli(['down', '--data-dir', dataDir]).ended));

function processes(): ProcessIdentity[] {
  const state = readState(path.join(dataDir, 'run', 'state.json'));
  return [state?.supervisor, ...Object.values(state?.nodes ?? {}).map((node) => node.process)].filter(
    (identity) => identity !== undefined,
  );
}

async function healthy(): Promise<StatusReport> {
  const report = statusReport(dataDir);
  // On a busy machine an engine may take longer than its check of two seconds.
  await expect.poll(async () => (await fetch(`${report.url}/api/v1/health`)).status).toBe(200);
  return report;
}

/** Signals one process; an unknown pid must never become 0, which is this process group. */
function send(signal: NodeJS.Signals, pid: number | null | undefined): void {
  if (pid === null || pid === undefined || pid <= 1) throw new Error(`there is no such process for ${signal}`);
  process.kill(pid, signal);
}

test('up --detach leaves a complete instance running, and a second up reports it and succeeds', async () => {
  const { exitCode, output } = await runCli(['up', '--detach', '--data-dir', dataDir], KEYS).ended;
  expect(output).toContain('Recollect is ready at http://127.0.0.1:');
  expect(exitCode).toBe(0);
  expect(output).toContain('No agent is connected yet. recollect install claude-code');
  const report = await healthy();
  expect(report).toMatchObject({ running: true, phase: 'running' });
  expect(Object.fromEntries(report.services.map((service) => [service.name, service.status]))).toEqual(
    Object.fromEntries(SERVICES.map((name) => [name, 'ready'])),
  );
  for (const file of ['secrets.json', 'credentials.json'])
    expect(statSync(path.join(dataDir, file)).mode & 0o777).toBe(0o600);
  const second = await runCli(['up', '--data-dir', dataDir]).ended;
  expect(second).toMatchObject({ exitCode: 0, output: expect.stringContaining(`already runs at ${report.url}`) });
  expect(processes().every(isAlive)).toBe(true);
}, 240_000);

test('lets Temporal read its namespaces rarely once they exist', () => {
  const settings = readFileSync(path.join(dataDir, 'temporal', 'dynamic-config.yaml'), 'utf8');
  expect(JSON.parse(settings)).toMatchObject({ 'system.namespaceCacheRefreshInterval': [{ value: '10s' }] });
});

test('passes keys of backups, of the provider and of other roles to the worker only', () => {
  const environmentOf = (name: string): string => {
    const pid = statusReport(dataDir).services.find((service) => service.name === name)?.pid;
    return execFileSync('ps', ['eww', '-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
  };
  const secrets = readOrCreateSecrets(path.join(dataDir, 'secrets.json'));
  const hidden = [
    ...Object.values(KEYS),
    'RECOLLECT_BACKUP_SIGNING_KEY',
    'RECOLLECT_BACKUP_KEY',
    secrets.postgresMaintenance,
    secrets.postgresRestore,
  ];
  const worker = environmentOf('worker');
  expect(hidden.filter((text) => !worker.includes(text))).toEqual([]);
  for (const name of ['api', 'postgres', 'temporal', 'weaviate']) {
    const environment = environmentOf(name);
    expect([name, hidden.filter((text) => environment.includes(text))]).toEqual([name, []]);
  }
});

test('restarts a killed API and shows the restart', async () => {
  const before = statusReport(dataDir).services.find((service) => service.name === 'api');
  send('SIGKILL', before?.pid);
  await expect
    .poll(() => statusReport(dataDir).services.find((service) => service.name === 'api'))
    .toMatchObject({ status: 'ready', restarts: 1 });
  const report = await healthy();
  expect(report.services.find((service) => service.name === 'api')?.pid).not.toBe(before?.pid);
});

test('after a kill -9 of the supervisor the next up ends orphans and recovers on the same port, and down stops it', async () => {
  const old = processes();
  const { url, supervisorPid } = statusReport(dataDir);
  send('SIGKILL', supervisorPid);
  await expect.poll(() => statusReport(dataDir).phase).toBe('killed');
  expect(await runCli(['up', '--detach', '--data-dir', dataDir]).ended).toMatchObject({ exitCode: 0 });
  expect(old.some(isAlive)).toBe(false);
  expect((await healthy()).url).toBe(url);
  const current = processes();
  expect(current).toHaveLength(SERVICES.length + 1);
  const { exitCode, output } = await runCli(['down', '--data-dir', dataDir]).ended;
  expect([exitCode, output]).toEqual([0, expect.stringMatching(/^Stopped \(process \d+\)\.\n$/)]);
  expect(current.some(isAlive)).toBe(false);
  expect(existsSync(path.join(dataDir, 'run', 'supervisor.lock'))).toBe(false);
}, 240_000);

test.each(['+ engine weaviate', '+ temporal:'])(
  'Ctrl-C in a start, after "%s", leaves no process',
  async (text) => {
    const up = runCli(['up', '--data-dir', dataDir]);
    await up.shows(text);
    const early = processes();
    up.child.kill('SIGINT');
    expect(await up.ended).toEqual({
      exitCode: 130,
      output: expect.stringContaining('Stopped before everything was ready.\n'),
    });
    expect([...early, ...processes()].some(isAlive)).toBe(false);
    expect(statusReport(dataDir).running).toBe(false);
  },
  240_000,
);

test('a second Ctrl-C ends everything at once', async () => {
  const up = runCli(['up', '--data-dir', dataDir]);
  await up.shows('+ temporal:');
  const current = processes();
  // The stop lasts because of a service that cannot end: it has 20 s.
  send('SIGSTOP', statusReport(dataDir).services.find((service) => service.name === 'weaviate')?.pid);
  up.child.kill('SIGINT');
  await expect.poll(() => readState(path.join(dataDir, 'run', 'state.json'))?.phase).toBe('stopping');
  up.child.kill('SIGINT');
  // The end of a stop is printed.
  expect(await up.ended).toEqual({ exitCode: 130, output: expect.not.stringContaining('Stopped') });
  await expect.poll(() => current.some(isAlive)).toBe(false);
}, 240_000);

test('Ctrl-C in the foreground stops everything cleanly', async () => {
  const up = runCli(['up', '--data-dir', dataDir]);
  await up.shows('Press Ctrl-C to stop.');
  const current = processes();
  up.child.kill('SIGINT');
  const { exitCode, output } = await up.ended;
  expect([exitCode, output.includes('Stopped.')]).toEqual([0, true]);
  expect(current.some(isAlive)).toBe(false);
  expect(statusReport(dataDir)).toMatchObject({ running: false, phase: 'stopped' });
}, 240_000);
