import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { findPostgresBinaries } from '../../../infra/engines/postgres/binaries.ts';
import { openInstance } from '../../../infra/instance/instance.ts';
import { copiedProgram, copyDatabases, goBack } from '../../../infra/instance/upgrade-copy.ts';
import { readVersionStamp, thisProgram } from '../../../infra/instance/version-stamp.ts';
import { readLock } from '../../../infra/supervisor/lock.ts';
import { runInstance } from '../../../infra/supervisor/run-instance.ts';
import type { SupervisedInstance } from '../../../infra/supervisor/run-instance.ts';
import { instanceNodes } from '../../../infra/supervisor/start-instance.ts';
import { testFolder } from '../support/folder.ts';
import { recordProgress } from '../support/progress.ts';

const OLDER = { ...thisProgram(), version: '0.0.9' };

/** Creates an instance of an older program. */
async function olderInstance() {
  const instance = await openInstance(testFolder(), { preferPorts: 'free' });
  const { versionFile } = instance.layout;
  writeFileSync(versionFile, JSON.stringify({ ...readVersionStamp(versionFile), program: OLDER }));
  return instance;
}

function start(dataDir: string, run: () => Promise<void>): Promise<SupervisedInstance> {
  return runInstance({
    dataDir,
    progress: recordProgress(),
    signal: new AbortController().signal,
    preferPorts: 'free',
    prepare: () => Promise.resolve(null),
    nodes: () => [{ kind: 'step', name: 'migration', after: [], run }],
  });
}

test('a start that fails leaves the copy, and one that becomes ready deletes it', async () => {
  const { layout } = await olderInstance();
  await copyDatabases(layout);
  await expect(start(layout.dataDir, () => Promise.reject(new Error('no column')))).rejects.toThrow('no column');
  expect(copiedProgram(layout)).toEqual(OLDER);
  const running = await start(layout.dataDir, () => Promise.resolve());
  expect(copiedProgram(layout)).toBeNull();
  await running.stop();
});

test('a program from which an upgrade went back starts with a copy only', async () => {
  const { layout } = await olderInstance();
  await copyDatabases(layout);
  await goBack(layout);
  const stamp = readFileSync(layout.versionFile, 'utf8');
  await expect(start(layout.dataDir, () => Promise.resolve())).rejects.toMatchObject({ code: 'failed-upgrade' });
  expect(readFileSync(layout.versionFile, 'utf8')).toBe(stamp);
  expect(readLock(layout.lockFile)).toBeNull();
  await copyDatabases(layout);
  for (let starts = 0; starts < 2; starts += 1) await (await start(layout.dataDir, () => Promise.resolve())).stop();
  expect(readVersionStamp(layout.versionFile)).toMatchObject({ program: thisProgram() });
});

test('the api starts last while a copy exists', async () => {
  const instance = await olderInstance();
  const files = {
    postgres: await findPostgresBinaries(),
    temporalServer: '',
    temporalSqlTool: '',
    weaviateServer: '',
  };
  const apiAfter = (): readonly string[] | undefined =>
    instanceNodes(instance, files, { cacheDir: instance.layout.run, environment: {}, progress: recordProgress() }).find(
      ({ name }) => name === 'api',
    )?.after;
  expect(apiAfter()).not.toContain('worker');
  await copyDatabases(instance.layout);
  expect(apiAfter()).toContain('worker');
});
