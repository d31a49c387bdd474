import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { processEnvironment } from '../../../config/process-environment.ts';
import { prepareDataDirectory } from '../../../infra/instance/instance.ts';
import { instanceLayout } from '../../../infra/instance/layout.ts';
import { findOrphans } from '../../../infra/supervisor/orphans.ts';
import { identifyProcess, isAlive, signalGroup } from '../../../infra/supervisor/process-identity.ts';
import { stopInstance } from '../../../infra/supervisor/stop-instance.ts';
import { takeOver } from '../../../infra/supervisor/take-over.ts';
import { testFolder } from '../support/folder.ts';
import { recordProgress } from '../support/progress.ts';
import { service, stage, supervise } from '../support/services.ts';

const RUNNER = path.resolve(import.meta.dirname, '../support/run-service.ts');

/** Starts a supervisor with one service in its own process. */
async function startElsewhere() {
  const folder = testFolder();
  const dataDir = path.join(testFolder(), 'its data');
  const supervisor = spawn(process.execPath, [RUNNER, dataDir, folder], {
    env: processEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void supervisor.kill('SIGKILL'));
  await once(supervisor.stdout, 'data');
  const store = identifyProcess(Number(readFileSync(path.join(folder, 'pid'), 'utf8')));
  if (store === null) throw new Error('The service does not run.');
  onTestFinished(() => void signalGroup(store.pid, 'SIGKILL'));
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const exited = once(supervisor, 'exit');
    supervisor.kill(signal);
    await exited;
  };
  return { dataDir, store, end };
}

const orphansOf = (dataDir: string) => findOrphans().filter((orphan) => orphan.dataDir === dataDir);

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'services end with a supervisor that is ended by %s and has no handler for it',
  async (signal) => {
    const { store, end } = await startElsewhere();
    await end(signal);
    await expect.poll(() => isAlive(store)).toBe(false);
  },
);

test('the next start, with any data directory, names a server whose supervisor was killed', async () => {
  const { dataDir, store, end } = await startElsewhere();
  expect(orphansOf(dataDir)).toEqual([]);
  await end('SIGKILL');
  expect(orphansOf(dataDir)).toEqual([{ ...store, name: 'store', stopSignal: 'SIGTERM', dataDir }]);
  const progress = recordProgress();
  const lock = await takeOver(prepareDataDirectory(testFolder()), progress);
  lock.release();
  expect(progress.lines).toContainEqual(
    expect.stringMatching(
      /^orphans: completed servers of other instances without a supervisor: .*recollect down --data-dir/,
    ),
  );
  expect(progress.lines.join()).toContain(`store (process ${store.pid}, data in ${dataDir})`);
  expect(isAlive(store)).toBe(true);
});

test('the next start or stop in a deleted data directory ends the processes that it no longer names', async () => {
  for (const endIt of [
    async (dataDir: string) => (await takeOver(prepareDataDirectory(dataDir), recordProgress())).release(),
    async (dataDir: string) => {
      expect(await stopInstance(instanceLayout(dataDir))).toEqual({ kind: 'not-running', ended: ['store'] });
    },
  ]) {
    const { dataDir, store, end } = await startElsewhere();
    await end('SIGKILL');
    rmSync(dataDir, { recursive: true });
    await endIt(dataDir);
    expect(isAlive(store)).toBe(false);
  }
});

test('ignores a mark that another program set', async () => {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000); console.log(1)'], {
    env: { RECOLLECT_SUPERVISED_BY: '%7B%22name%22%3A1%7D' },
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  expect(findOrphans().map(({ pid }) => pid)).not.toContain(child.pid);
});

test.each([
  ['deleted', () => undefined],
  ['replaced by a file', (folder: string) => writeFileSync(folder, '')],
])('a stop ends every service when the data directory is %s meanwhile', async (_what, replace) => {
  const on = stage(testFolder());
  const script = `setInterval(() => {}, 1000); process.on('SIGTERM', () => setTimeout(() => process.exit(0), 50)); ready();`;
  const supervisor = supervise(on, [
    service(on, 'store', { script }),
    service(on, 'index', { after: ['store'], script }),
  ]);
  await supervisor.start(new AbortController().signal);
  const processes = ['store', 'index'].map((name) => identifyProcess(supervisor.service(name).pid ?? 0));
  rmSync(on.folder, { recursive: true });
  replace(on.folder);
  await supervisor.stop();
  expect(processes.map((one) => one !== null && isAlive(one))).toEqual([false, false]);
  expect(existsSync(path.join(on.folder, 'state.json'))).toBe(false);
});
