import { chmodSync, cpSync, lstatSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { checkPostgres } from '../../../cli/doctor/engines.ts';
import { instanceLayout } from '../../../infra/instance/layout.ts';
import { findPostgresBinaries } from '../../../infra/engines/postgres/binaries.ts';
import { withLibraries } from '../../../infra/engines/postgres/libraries.ts';
import { testFolder } from '../support/folder.ts';

/** Copies the package of PostgreSQL as npm unpacks it: without the links that its script adds. */
async function packageWithoutLinks() {
  const installed = await findPostgresBinaries();
  const from = path.resolve(path.dirname(installed.postgres), '..', '..');
  const folder = path.join(testFolder(), 'package');
  cpSync(from, folder, { recursive: true, filter: (file) => !lstatSync(file).isSymbolicLink() });
  chmodSync(path.dirname(folder), 0o755);
  const program = (name: string): string => path.join(folder, 'native', 'bin', name);
  return { folder, binaries: { initdb: program('initdb'), postgres: program('postgres'), environment: {} } };
}

test('doctor reports a PostgreSQL without its libraries, and one with links in the cache starts', async () => {
  const { folder, binaries } = await packageWithoutLinks();
  const cacheDir = path.join(testFolder(), 'cache');
  mkdirSync(cacheDir);
  for (const open of [path.dirname(cacheDir), cacheDir]) chmodSync(open, 0o755);
  const layout = instanceLayout(path.join(testFolder(), 'data'));
  const environment = { PATH: '/usr/bin:/bin', RECOLLECT_CACHE_DIR: cacheDir };
  const links = path.join(folder, 'native', 'pg-symlinks.json');
  const text = readFileSync(links, 'utf8');
  writeFileSync(links, '[]');
  expect(await checkPostgres(layout, environment, () => Promise.resolve(binaries))).toMatchObject({
    result: 'fail',
    text: expect.stringContaining('error while loading shared libraries'),
  });
  writeFileSync(links, text);
  const before = readdirSync(folder, { recursive: true });
  expect(await checkPostgres(layout, environment, () => Promise.resolve(binaries))).toMatchObject({ result: 'ok' });
  // The package may be read-only.
  expect(readdirSync(folder, { recursive: true })).toEqual(before);
  expect(withLibraries(binaries, cacheDir)).toEqual(withLibraries(binaries, cacheDir));
  expect(readdirSync(path.join(cacheDir, 'engines'))).toHaveLength(1);
});

test('uses the installed links if there are any, and reports a cache that cannot be written', async () => {
  const installed = await findPostgresBinaries();
  const cacheDir = testFolder();
  expect(withLibraries(installed, cacheDir)).toBe(installed);
  expect(readdirSync(cacheDir)).toEqual([]);
  const { binaries } = await packageWithoutLinks();
  rmSync(cacheDir, { recursive: true });
  writeFileSync(cacheDir, 'a file');
  expect(() => withLibraries(binaries, cacheDir)).toThrow(/cannot be linked in .*Set RECOLLECT_CACHE_DIR/);
});
