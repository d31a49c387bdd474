import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { VERSION } from '../../../config/version.ts';
import { prepareDataDirectory } from '../../../infra/instance/instance.ts';
import type { InstanceLayout } from '../../../infra/instance/layout.ts';
import {
  bytesToCopy,
  copiedProgram,
  copyDatabases,
  copyFolder,
  goBack,
  isUpgradeInterrupted,
  noteUpgrade,
  removeCopy,
  settleCopy,
} from '../../../infra/instance/upgrade-copy.ts';
import {
  checkFailedUpgrade,
  readVersionStamp,
  stampProgram,
  thisProgram,
} from '../../../infra/instance/version-stamp.ts';
import { testFolder } from '../support/folder.ts';

const OLDER = { ...thisProgram(), version: '0.0.9' };

function stamp({ versionFile }: InstanceLayout, program: typeof OLDER): void {
  writeFileSync(versionFile, JSON.stringify({ ...readVersionStamp(versionFile), program }));
}

/** Creates a data directory of an older program with two files of databases. */
function dataDirectory(): InstanceLayout {
  const layout = prepareDataDirectory(testFolder());
  stamp(layout, OLDER);
  mkdirSync(path.join(layout.postgres, 'base'), { recursive: true, mode: 0o700 });
  writeFileSync(tableOf(layout), 'rows', { mode: 0o600 });
  mkdirSync(layout.weaviate);
  writeFileSync(path.join(layout.weaviate, 'vectors'), 'vectors');
  return layout;
}

const tableOf = ({ postgres }: InstanceLayout): string => path.join(postgres, 'base', 'table');
const table = (layout: InstanceLayout): string => readFileSync(tableOf(layout), 'utf8');
const vectors = ({ weaviate }: InstanceLayout): string => readFileSync(path.join(weaviate, 'vectors'), 'utf8');
const copies = ({ dataDir }: InstanceLayout): string[] =>
  readdirSync(dataDir).filter((name) => name.startsWith('before-upgrade'));

/** Changes the databases as the newer program does. */
function migrate(layout: InstanceLayout): void {
  stampProgram(layout.versionFile);
  writeFileSync(tableOf(layout), 'migrated');
}

test('copies the databases with their modes, replaces them by the copy, and removes what came later', async () => {
  const layout = dataDirectory();
  expect(await copyDatabases(layout)).toBe(11);
  expect(copiedProgram(layout)).toEqual(OLDER);
  expect(statSync(path.join(copyFolder(layout), 'postgres')).mode & 0o777).toBe(0o700);
  migrate(layout);
  writeFileSync(path.join(layout.postgres, 'base', 'new table'), 'rows');
  writeFileSync(layout.secretsFile, 'secrets');
  expect(await goBack(layout)).toBe(true);
  expect(table(layout)).toBe('rows');
  expect(readdirSync(path.join(layout.postgres, 'base'))).toEqual(['table']);
  expect(readVersionStamp(layout.versionFile)?.program).toEqual(OLDER);
  expect(readFileSync(layout.secretsFile, 'utf8')).toBe('secrets');
  expect(copies(layout)).toEqual([]);
  expect(await goBack(layout)).toBe(false);
});

test('the program that failed does not start again, until an upgrade tries it with a copy', async () => {
  const layout = dataDirectory();
  await copyDatabases(layout);
  migrate(layout);
  await goBack(layout);
  const failed = `The upgrade of this data directory to ${VERSION} failed and was undone. Run recollect upgrade to try it again, or use version 0.0.9.`;
  expect(() => checkFailedUpgrade(layout.versionFile)).toThrow(failed);
  stamp(layout, OLDER);
  expect(() => checkFailedUpgrade(layout.versionFile)).toThrow(failed);
  await copyDatabases(layout);
  migrate(layout);
  await removeCopy(layout);
  expect(() => checkFailedUpgrade(layout.versionFile)).not.toThrow();
});

test('an interrupted upgrade continues with its copy, and goes back to it', async () => {
  const layout = dataDirectory();
  await copyDatabases(layout);
  migrate(layout);
  await settleCopy(layout);
  expect(await copyDatabases(layout)).toBeNull();
  expect(await goBack(layout)).toBe(true);
  expect(table(layout)).toBe('rows');
});

test('an upgrade counts as interrupted from its stop until the next start', async () => {
  const layout = dataDirectory();
  expect(isUpgradeInterrupted(layout)).toBe(false);
  noteUpgrade(layout);
  expect(isUpgradeInterrupted(layout)).toBe(true);
  await copyDatabases(layout);
  migrate(layout);
  await settleCopy(layout);
  expect(isUpgradeInterrupted(layout)).toBe(true);
  await removeCopy(layout);
  noteUpgrade(layout);
  await settleCopy(layout);
  expect(isUpgradeInterrupted(layout)).toBe(false);
});

test.each([
  ['before the first database is moved', []],
  ['after the first database is moved', ['postgres']],
  ['before the empty folder is removed', ['postgres', 'weaviate']],
])('a going back that was killed %s ends at the next start, and at the next copy', async (_when, moved) => {
  for (const next of [settleCopy, copyDatabases]) {
    const layout = dataDirectory();
    await copyDatabases(layout);
    migrate(layout);
    const folder = copyFolder(layout);
    renameSync(path.join(folder, 'version.json'), layout.versionFile);
    for (const name of moved) {
      rmSync(path.join(layout.dataDir, name), { recursive: true });
      renameSync(path.join(folder, name), path.join(layout.dataDir, name));
    }
    // Killed while the next one was deleted.
    if (!moved.includes('weaviate')) rmSync(path.join(layout.weaviate, 'vectors'));
    await next(layout);
    expect([table(layout), vectors(layout)]).toEqual(['rows', 'vectors']);
    expect(readVersionStamp(layout.versionFile)?.program).toEqual(OLDER);
    expect(copies(layout)).toEqual(next === settleCopy ? [] : ['before-upgrade']);
  }
});

test('a start removes a copy that a killed process left incomplete, and one of its own version', async () => {
  const layout = dataDirectory();
  await copyDatabases(layout);
  cpSync(copyFolder(layout), `${copyFolder(layout)}.incomplete`, { recursive: true });
  await settleCopy(layout);
  expect(copies(layout)).toEqual(['before-upgrade']);
  await removeCopy(layout);
  expect(copies(layout)).toEqual([]);
  stamp(layout, thisProgram());
  await copyDatabases(layout);
  await settleCopy(layout);
  expect(copies(layout)).toEqual([]);
  expect(table(layout)).toBe('rows');
});

test('an interrupted copy and one without space leave nothing', async () => {
  const layout = dataDirectory();
  await expect(copyDatabases(layout, AbortSignal.abort())).rejects.toMatchObject({ name: 'AbortError' });
  expect(copies(layout)).toEqual([]);
  // A sparse file.
  truncateSync(tableOf(layout), 2 ** 42);
  expect(() => bytesToCopy(layout)).toThrow(/The copy of the databases needs 4096\.5 GiB; .* are free\./);
  await expect(copyDatabases(layout)).rejects.toMatchObject({ code: 'unusable-data-dir' });
  expect(copies(layout)).toEqual([]);
  expect(existsSync(tableOf(layout))).toBe(true);
});
