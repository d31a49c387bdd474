import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { prepareDataDirectory } from '../../../infra/instance/instance.ts';
import { endLeftovers } from '../../../infra/supervisor/orphans.ts';
import { acquireLock, readLock } from '../../../infra/supervisor/lock.ts';
import {
  identifyProcess,
  isAlive,
  type ProcessIdentity,
  processStartTime,
} from '../../../infra/supervisor/process-identity.ts';
import { writeState } from '../../../infra/supervisor/state.ts';
import { findSupervisor, stopInstance } from '../../../infra/supervisor/stop-instance.ts';
import { takeOver } from '../../../infra/supervisor/take-over.ts';
import { testFolder } from '../support/folder.ts';
import { recordProgress } from '../support/progress.ts';

async function bystander(
  script = 'setInterval(() => {}, 1000)',
): Promise<{ child: ChildProcess; identity: ProcessIdentity }> {
  const child = spawn(process.execPath, ['-e', `${script}; process.stdout.write('up')`], {
    detached: true,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const up = Promise.withResolvers<void>();
  child.stdout.once('data', () => up.resolve());
  await up.promise;
  const identity = identifyProcess(child.pid ?? 0);
  if (identity === null) throw new Error('The process ended too early.');
  return { child, identity };
}

test('identifies a process by its id and start time', async () => {
  const { child, identity } = await bystander();
  expect(isAlive(identity)).toBe(true);
  expect(isAlive({ ...identity, startTime: 'another' })).toBe(false);
  child.kill('SIGKILL');
  await expect.poll(() => isAlive(identity)).toBe(false);
  expect(identifyProcess(2 ** 22)).toBeNull();
});

test('reads the start time from ps if there is no /proc', () => {
  const fromPs = processStartTime(process.pid, 'darwin');
  expect(fromPs).toMatch(/\d{4}$/);
  expect(processStartTime(process.pid, 'darwin')).toBe(fromPs);
  expect(processStartTime(2 ** 22, 'darwin')).toBeNull();
});

test('the lock has one holder until it is released', () => {
  const file = path.join(testFolder(), 'lock');
  const first = acquireLock(file);
  expect(first.kind).toBe('acquired');
  expect(acquireLock(file)).toMatchObject({ kind: 'taken', holder: { pid: process.pid } });
  if (first.kind === 'acquired') first.release();
  expect(readLock(file)).toBeNull();
  expect(acquireLock(file).kind).toBe('acquired');
});

test('exactly one of many concurrent processes acquires it', async () => {
  const folder = testFolder();
  const module = path.resolve(import.meta.dirname, '../../../infra/supervisor/lock.ts');
  writeFileSync(path.join(folder, 'lock'), JSON.stringify({ pid: 2 ** 22, startTime: 'long ago' }));
  const script = `import { acquireLock } from ${JSON.stringify(module)}; process.stdout.write(acquireLock('lock').kind); process.stdin.resume();`;
  // Each runs until all have tried: the lock of one that has ended is free.
  const contenders = Array.from({ length: 6 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] }),
  );
  const results = await Promise.all(contenders.map(async ({ stdout }) => String((await once(stdout, 'data'))[0])));
  for (const { stdin } of contenders) stdin.end();
  await Promise.all(contenders.map((child) => once(child, 'exit')));
  expect(results.filter((result) => result === 'acquired')).toHaveLength(1);
  expect(results.filter((result) => result === 'taken')).toHaveLength(5);
  expect(readdirSync(folder)).toEqual(['lock']);
});

test.each([
  ['a dead process', JSON.stringify({ pid: 2 ** 22, startTime: 'long ago' })],
  ['another process with the same number', JSON.stringify({ pid: process.pid, startTime: 'long ago' })],
  ['a power cut', ''],
])('takes over a lock that %s left', (_who, content) => {
  const file = path.join(testFolder(), 'lock');
  writeFileSync(file, content);
  expect(acquireLock(file).kind).toBe('acquired');
});

test('orphans get SIGTERM, then SIGKILL; a later process with the same id is left alone', async () => {
  const polite = await bystander();
  const stubborn = await bystander(`process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)`);
  const stranger = await bystander();
  const ended = await endLeftovers(
    [
      { ...polite.identity, name: 'polite', stopSignal: 'SIGTERM' },
      { ...stubborn.identity, name: 'stubborn', stopSignal: 'SIGTERM' },
      { pid: stranger.identity.pid, startTime: 'of its predecessor', name: 'stranger', stopSignal: 'SIGKILL' },
    ],
    300,
  );
  expect(ended).toEqual(['polite', 'stubborn']);
  expect([polite, stubborn, stranger].map((one) => isAlive(one.identity))).toEqual([false, false, true]);
});

/** Writes the state that a killed supervisor leaves with one running service. */
function writeKilledState(file: string, service: ProcessIdentity, url?: string): void {
  const node = { kind: 'service', status: 'ready', stopSignal: 'SIGTERM', restarts: 0, since: '' } as const;
  writeState(file, {
    supervisor: { pid: 2 ** 22, startTime: 'long ago' },
    phase: 'running',
    startedAt: '',
    ...(url === undefined ? {} : { url }),
    nodes: { store: { ...node, process: service } },
  });
}

test('taking over a data directory ends the orphans of a killed supervisor, and fails if the supervisor is alive', async () => {
  const layout = prepareDataDirectory(testFolder());
  const child = await bystander();
  writeKilledState(layout.stateFile, child.identity, 'http://old');
  const progress = recordProgress();
  const lock = await takeOver(layout, progress);
  expect(isAlive(child.identity)).toBe(false);
  // Ignore servers of other data directories on this machine.
  const own = progress.lines.filter((line) => !line.startsWith('orphans: '));
  expect(own).toEqual(['leftovers: completed ended store of a killed supervisor']);
  await expect(takeOver(layout, progress)).rejects.toMatchObject({
    name: 'AlreadyRunningError',
    pid: process.pid,
    url: null,
  });
  lock.release();
});

test('an external stop ends orphans if the supervisor is dead, and marks the state', async () => {
  const layout = prepareDataDirectory(testFolder());
  expect(await stopInstance(layout)).toEqual({ kind: 'not-running', ended: [] });
  const child = await bystander();
  writeKilledState(layout.stateFile, child.identity);
  expect(await stopInstance(layout)).toEqual({ kind: 'not-running', ended: ['store'] });
  expect(isAlive(child.identity)).toBe(false);
  expect(await stopInstance(layout)).toEqual({ kind: 'not-running', ended: [] });
});

test('an external stop signals a running supervisor and waits for its end', async () => {
  const layout = prepareDataDirectory(testFolder());
  const supervisor = await bystander(
    `process.on('SIGTERM', () => setTimeout(() => process.exit(0), 150)); setInterval(() => {}, 1000)`,
  );
  writeFileSync(layout.lockFile, JSON.stringify(supervisor.identity));
  writeState(layout.stateFile, { supervisor: supervisor.identity, phase: 'running', startedAt: '', nodes: {} });
  expect(findSupervisor(layout)).toEqual(supervisor.identity);
  expect(await stopInstance(layout)).toEqual({ kind: 'stopped', pid: supervisor.identity.pid });
  expect(isAlive(supervisor.identity)).toBe(false);
});

test('an external stop does not signal a process that has the lock and is no supervisor', async () => {
  const layout = prepareDataDirectory(testFolder());
  const { identity } = await bystander();
  writeFileSync(layout.lockFile, JSON.stringify(identity));
  const stopped = { pid: 2 ** 22, startTime: 'long ago' };
  writeState(layout.stateFile, { supervisor: stopped, phase: 'stopped', startedAt: '', nodes: {} });
  expect(await stopInstance(layout)).toEqual({ kind: 'occupied', pid: identity.pid });
  expect(isAlive(identity)).toBe(true);
});
