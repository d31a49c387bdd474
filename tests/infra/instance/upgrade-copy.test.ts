import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { prepareDataDirectory } from '../../../infra/instance/instance.ts';
import { copyDatabases, copyFolder, finishGoingBack, goBack } from '../../../infra/instance/upgrade-copy.ts';
import { testFolder } from '../support/folder.ts';

/** Creates a data directory with two files of databases. */
function dataDirectory() {
  const layout = prepareDataDirectory(testFolder());
  mkdirSync(path.join(layout.postgres, 'base'), { recursive: true, mode: 0o700 });
  writeFileSync(path.join(layout.postgres, 'base', 'table'), 'rows', { mode: 0o600 });
  mkdirSync(layout.weaviate);
  writeFileSync(path.join(layout.weaviate, 'vectors'), 'vectors');
  return layout;
}

const table = ({ postgres }: { postgres: string }): string =>
  readFileSync(path.join(postgres, 'base', 'table'), 'utf8');

test('copies the databases with their modes, replaces them by the copy, and removes what came later', async () => {
  const layout = dataDirectory();
  expect(await copyDatabases(layout)).toBeGreaterThan(10);
  expect(statSync(path.join(copyFolder(layout), 'postgres')).mode & 0o777).toBe(0o700);
  writeFileSync(path.join(layout.postgres, 'base', 'table'), 'migrated');
  writeFileSync(path.join(layout.postgres, 'base', 'new table'), 'rows');
  writeFileSync(layout.versionFile, '{"layout":2}');
  writeFileSync(layout.secretsFile, 'secrets');
  goBack(layout);
  expect(table(layout)).toBe('rows');
  expect(readdirSync(path.join(layout.postgres, 'base'))).toEqual(['table']);
  expect(readFileSync(layout.versionFile, 'utf8')).toContain('"layout":1');
  expect(readFileSync(layout.secretsFile, 'utf8')).toBe('secrets');
  expect(existsSync(copyFolder(layout))).toBe(false);
});

test('replaces an older copy, and leaves the databases unchanged without a marker', async () => {
  const layout = dataDirectory();
  await copyDatabases(layout);
  writeFileSync(path.join(layout.postgres, 'base', 'table'), 'later');
  await copyDatabases(layout);
  finishGoingBack(layout);
  expect(table(layout)).toBe('later');
  expect(readFileSync(path.join(copyFolder(layout), 'postgres', 'base', 'table'), 'utf8')).toBe('later');
});

test('finishes at the next start what a killed process began', async () => {
  const layout = dataDirectory();
  await copyDatabases(layout);
  const folder = copyFolder(layout);
  // Killed after the first database was moved, and while the second was deleted.
  for (const name of ['version.json', 'postgres']) rmSync(path.join(folder, name), { recursive: true });
  writeFileSync(path.join(folder, 'going-back'), '');
  rmSync(path.join(layout.weaviate, 'vectors'));
  finishGoingBack(layout);
  expect(table(layout)).toBe('rows');
  expect(readFileSync(path.join(layout.weaviate, 'vectors'), 'utf8')).toBe('vectors');
  expect(existsSync(folder)).toBe(false);
});
