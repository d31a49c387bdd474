import { mkdirSync, readFileSync, truncateSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { checkGraph } from '../../../infra/supervisor/definitions.ts';
import { identifyProcess, isAlive } from '../../../infra/supervisor/process-identity.ts';
import { readState } from '../../../infra/supervisor/state.ts';
import { testFolder } from '../support/folder.ts';
import { service, stage, step, supervise } from '../support/services.ts';

const never = new AbortController().signal;

test('dependencies start first, independent parts at once, and everything stops in reverse', async () => {
  const on = stage(testFolder());
  const supervisor = supervise(on, [
    service(on, 'store'),
    step(on, 'migrate', ['store']),
    service(on, 'engine', { after: ['store'] }),
    service(on, 'index'),
    service(on, 'front', { after: ['migrate', 'engine', 'index'], message: true }),
  ]);
  await supervisor.start(never);
  const started = on.events();
  for (const [before, after] of [
    ['start store', 'step migrate'],
    ['start store', 'start engine'],
    ['step migrate', 'start front'],
    ['start engine', 'start front'],
    ['start index', 'start front'],
  ] as const) {
    expect(started.indexOf(before)).toBeLessThan(started.indexOf(after));
    expect(started).toContain(before);
  }
  expect(supervisor.state()).toMatchObject({
    phase: 'running',
    nodes: { front: { status: 'ready' }, migrate: { status: 'ready' } },
  });
  await supervisor.stop();
  const stopped = on.events().filter((event) => event.startsWith('stop'));
  expect(stopped[0]).toBe('stop front');
  expect(stopped.indexOf('stop engine')).toBeLessThan(stopped.indexOf('stop store'));
  expect(stopped).toHaveLength(4);
});

test('the state file names every running process by id and start time, and reads stopped afterwards', async () => {
  const on = stage(testFolder());
  const supervisor = supervise(on, [service(on, 'store')]);
  await supervisor.start(never);
  const file = path.join(on.folder, 'state.json');
  const running = readState(file);
  const identity = running?.nodes['store']?.process;
  expect(running?.supervisor.pid).toBe(process.pid);
  expect(identity?.pid).toBe(supervisor.service('store').pid);
  if (!identity) throw new Error('The state names no process.');
  expect(isAlive(identity)).toBe(true);
  await supervisor.stop();
  expect(isAlive(identity)).toBe(false);
  expect(readState(file)).toMatchObject({ phase: 'stopped', nodes: { store: { status: 'stopped' } } });
  expect(readState(file)?.nodes['store']).not.toHaveProperty('process');
});

test('a log that cannot be rotated ends nothing', async () => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const on = stage(testFolder());
  const supervisor = supervise(on, [service(on, 'store')]);
  await supervisor.start(never);
  const log = path.join(on.folder, 'store.log');
  truncateSync(log, 17 * 1024 * 1024);
  mkdirSync(`${log}.new`);
  vi.advanceTimersByTime(30_000);
  expect(supervisor.lines.at(-1)).toMatch(/^logs: update store\.log not rotated: /);
  expect(supervisor.state().nodes['store']?.status).toBe('ready');
});

test('restarts a killed service with growing delays, shown in state and progress', async () => {
  const on = stage(testFolder());
  const supervisor = supervise(on, [service(on, 'store')]);
  await supervisor.start(never);
  const store = supervisor.service('store');
  const first = store.pid;
  const startedAt = performance.now();
  expect(store.kill('SIGKILL')).toBe(true);
  await store.whenReady();
  expect(performance.now() - startedAt).toBeGreaterThan(490);
  expect(store.pid).not.toBe(first);
  expect(supervisor.state().nodes['store']).toMatchObject({
    status: 'ready',
    restarts: 1,
    detail: 'ended by SIGKILL',
  });
  store.kill('SIGKILL');
  await store.whenReady();
  const waits = supervisor.lines.filter((line) => line.includes('restarting in'));
  expect(waits).toEqual([
    'store: update ended by SIGKILL; restarting in 0.5 s',
    'store: update ended by SIGKILL; restarting in 1.0 s',
  ]);
  expect(on.events().filter((event) => event === 'start store')).toHaveLength(3);
});

test('a requested restart is clean and immediate', async () => {
  const on = stage(testFolder());
  const supervisor = supervise(on, [service(on, 'store')]);
  await supervisor.start(never);
  const before = supervisor.service('store').pid;
  await supervisor.service('store').restart();
  expect(supervisor.service('store').pid).not.toBe(before);
  expect(on.events()).toEqual(['start store', 'stop store', 'start store']);
});

test('starts a stopped service again', async () => {
  const on = stage(testFolder());
  const supervisor = supervise(on, [service(on, 'store')]);
  await supervisor.start(never);
  await supervisor.service('store').stop();
  expect(supervisor.service('store').pid).toBeNull();
  await supervisor.service('store').start();
  expect(supervisor.service('store').pid).not.toBeNull();
});

test('waits for a service that fails at first', async () => {
  const on = stage(testFolder());
  const script = `note('start ' + name); if (starts() < 3) process.exit(7); setInterval(() => {}, 1000); ready();`;
  const supervisor = supervise(on, [service(on, 'store', { script })]);
  await supervisor.start(never);
  expect(supervisor.state().nodes['store']).toMatchObject({ status: 'ready', restarts: 2 });
});

test('a service that never starts fails the start with its last log lines and stops the others', async () => {
  const on = stage(testFolder());
  const script = `console.error('the disk is on fire'); process.exit(7);`;
  const supervisor = supervise(on, [service(on, 'store'), service(on, 'broken', { after: ['store'], script })]);
  await expect(supervisor.start(never)).rejects.toThrow(/broken did not start: exit code 7[^]*the disk is on fire/);
  expect(on.events()).toEqual(['start store', 'stop store']);
  expect(supervisor.state()).toMatchObject({
    phase: 'failed',
    nodes: { broken: { status: 'failed' }, store: { status: 'stopped' } },
  });
  expect(supervisor.state().error).toContain('broken did not start');
});

test('ends a service that never becomes ready and reports its last response', async () => {
  const on = stage(testFolder());
  const script = `note('start ' + name); setInterval(() => {}, 1000);`;
  const supervisor = supervise(on, [service(on, 'mute', { script, readyTimeoutMs: 150 })]);
  await expect(supervisor.start(never)).rejects.toThrow(/not ready after 0.15 s \(not yet\)/);
});

test('a failed step is named, and the started services are stopped', async () => {
  const on = stage(testFolder());
  const failing = step(on, 'migrate', ['store'], () => Promise.reject(new Error('column is missing')));
  const supervisor = supervise(on, [service(on, 'store'), failing]);
  await expect(supervisor.start(never)).rejects.toMatchObject({
    code: 'start-failed',
    message: 'migrate failed: column is missing',
  });
  expect(on.events()).toEqual(['start store', 'stop store']);
});

test('an abort during a start stops everything, also a step that ignores the signal', async () => {
  const on = stage(testFolder());
  const abort = new AbortController();
  const deaf = step(on, 'deaf', ['store'], () => {
    setImmediate(() => abort.abort());
    return new Promise(() => undefined);
  });
  const supervisor = supervise(on, [service(on, 'store'), deaf, service(on, 'later', { after: ['deaf'] })]);
  await expect(supervisor.start(abort.signal)).rejects.toMatchObject({ code: 'stopped-during-start' });
  expect(on.events()).toEqual(['start store', 'stop store']);
  expect(supervisor.state().phase).toBe('stopped');
});

test('an abort ends a service that is not ready yet', async () => {
  const on = stage(testFolder());
  const abort = new AbortController();
  const supervisor = supervise(on, [
    service(on, 'slow', { script: `note('start ' + name); setInterval(() => {}, 1000);` }),
  ]);
  const start = supervisor.start(abort.signal);
  await expect.poll(() => on.events()).toEqual(['start slow']);
  const identity = supervisor.state().nodes['slow']?.process;
  abort.abort();
  await expect(start).rejects.toMatchObject({ code: 'stopped-during-start' });
  expect(identity && isAlive(identity)).toBe(false);
});

test('kills a service that ignores SIGTERM, with its children', async () => {
  const on = stage(testFolder());
  const child = path.join(on.folder, 'grandchild');
  const script = `
    process.on('SIGTERM', () => note('ignored'));
    const made = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    fs.writeFileSync(${JSON.stringify(child)}, String(made.pid));
    setInterval(() => {}, 1000); ready();`;
  const supervisor = supervise(on, [service(on, 'stubborn', { script, stopGraceMs: 2_000 })]);
  await supervisor.start(never);
  const grandchild = readFileSync(child, 'utf8');
  await supervisor.stop();
  expect(on.events()).toEqual(['ignored']);
  await expect.poll(() => identifyProcess(Number(grandchild))).toBeNull();
});

test('the children of a dead process do not outlive it', async () => {
  const on = stage(testFolder());
  const script = `
    const made = require('node:child_process').spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    note(String(made.pid)); setInterval(() => {}, 1000); ready();`;
  const supervisor = supervise(on, [service(on, 'parent', { script })]);
  await supervisor.start(never);
  const grandchild = Number(on.events()[0]);
  expect(identifyProcess(grandchild)).not.toBeNull();
  supervisor.service('parent').kill('SIGKILL');
  await supervisor.service('parent').whenReady();
  expect(identifyProcess(grandchild)).toBeNull();
});

test('a Node child is notified by its channel, which does not prevent it from ending', async () => {
  const on = stage(testFolder());
  const script = `process.on('disconnect', () => note('channel closed')); process.on('exit', () => note('ended')); process.on('SIGTERM', () => {}); ready();`;
  const supervisor = supervise(on, [service(on, 'front', { script, message: true, stopGraceMs: 60_000 })]);
  await supervisor.start(never);
  await supervisor.stop();
  // By itself: a killed process notes no end.
  expect(on.events()).toEqual(['channel closed', 'ended']);
});

test('killAll ends everything at once', async () => {
  const on = stage(testFolder());
  const supervisor = supervise(on, [service(on, 'a'), service(on, 'b', { after: ['a'] })]);
  await supervisor.start(never);
  const identities = Object.values(supervisor.state().nodes).flatMap((node) => node.process ?? []);
  supervisor.killAll();
  await expect.poll(() => identities.some(isAlive)).toBe(false);
  expect(identities).toHaveLength(2);
  expect(on.events()).not.toContain('stop a');
});

test('rejects a graph with a cycle, a missing node or a duplicate name', () => {
  const on = stage(testFolder());
  expect(() => checkGraph([step(on, 'a', ['b']), step(on, 'b', ['a'])])).toThrow('Circular dependency: a → b → a.');
  expect(() => checkGraph([step(on, 'a', ['missing'])])).toThrow('a depends on missing, which does not exist.');
  expect(() => checkGraph([step(on, 'a', []), step(on, 'a', [])])).toThrow('Duplicate name');
});
