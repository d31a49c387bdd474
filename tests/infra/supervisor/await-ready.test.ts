import { writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { VERSION } from '../../../config/version.ts';
import { prepareDataDirectory } from '../../../infra/instance/instance.ts';
import type { InstanceLayout } from '../../../infra/instance/layout.ts';
import { copyDatabases, removeCopy } from '../../../infra/instance/upgrade-copy.ts';
import { stampProgram, thisProgram } from '../../../infra/instance/version-stamp.ts';
import { awaitReady } from '../../../infra/supervisor/await-ready.ts';
import { identifyProcess } from '../../../infra/supervisor/process-identity.ts';
import type { ProcessIdentity } from '../../../infra/supervisor/process-identity.ts';
import { writeState } from '../../../infra/supervisor/state.ts';
import type { Phase } from '../../../infra/supervisor/state.ts';
import { testFolder } from '../support/folder.ts';

const SINCE = '2026-01-02T00:00:00.000Z';
const DEAD: ProcessIdentity = { pid: 2 ** 22, startTime: 'long ago' };
const expected = { version: VERSION, since: SINCE, absentMs: 300 };

function self(): ProcessIdentity {
  const identity = identifyProcess(process.pid);
  if (identity === null) throw new Error('This process has no identity.');
  return identity;
}

/** Creates a stamped data directory with the state of a supervisor. */
function started(phase: Phase, more: { startedAt?: string; supervisor?: ProcessIdentity; error?: string } = {}) {
  const layout = prepareDataDirectory(testFolder());
  stampProgram(layout.versionFile);
  setState(layout, phase, more);
  return layout;
}

function setState(layout: InstanceLayout, phase: Phase, more: Parameters<typeof started>[1] = {}): void {
  writeState(layout.stateFile, { supervisor: self(), phase, startedAt: SINCE, nodes: {}, ...more });
}

test('waits until the started instance runs', async () => {
  const layout = started('starting');
  writeFileSync(layout.lockFile, JSON.stringify(self()));
  const ready = awaitReady(layout, expected);
  expect(await Promise.race([ready, delay(600, 'starting')])).toBe('starting');
  setState(layout, 'running');
  expect(await ready).toBeNull();
});

test('waits until the copy of an upgrade is deleted', async () => {
  const layout = started('running');
  writeFileSync(
    layout.versionFile,
    JSON.stringify({ layout: 1, createdAt: '', program: { ...thisProgram(), version: '0.0.9' } }),
  );
  await copyDatabases(layout);
  stampProgram(layout.versionFile);
  writeFileSync(layout.lockFile, JSON.stringify(self()));
  const ready = awaitReady(layout, expected);
  expect(await Promise.race([ready, delay(250, 'copy')])).toBe('copy');
  await removeCopy(layout);
  expect(await ready).toBeNull();
});

test.each([
  ['fails', 'failed', { error: 'no disk' }, 'no disk'],
  ['is killed', 'starting', { supervisor: DEAD }, 'the start ended early'],
  ['is an earlier one', 'running', { startedAt: '2026-01-01T00:00:00.000Z' }, 'no process started it'],
] as const)('returns the reason if the start %s', async (_what, phase, more, reason) => {
  expect(await awaitReady(started(phase, more), expected)).toBe(reason);
});

test('returns the version that runs instead, and ends at an interrupt', async () => {
  const layout = started('running');
  expect(await awaitReady(layout, { ...expected, version: '9.0.0' })).toBe(`version ${VERSION} runs instead`);
  expect(await awaitReady(layout, { ...expected, signal: AbortSignal.abort() })).toBe('interrupted');
});
