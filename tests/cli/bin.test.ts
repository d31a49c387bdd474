import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { processEnvironment } from '../../config/process-environment.ts';
import { testFolder } from '../infra/support/folder.ts';

const ROOT = path.resolve(import.meta.dirname, '..', '..');
const BIN = path.join(ROOT, 'cli', 'bin.mjs');

/** Runs a `bin.mjs` with the Node of the tests, which reports another version. */
function runAs(version: string, bin: string, ...words: string[]) {
  const claim = `Object.defineProperty(process,'versions',{value:{...process.versions,node:'${version}'}})`;
  const flags = ['--import', `data:text/javascript,${encodeURIComponent(claim)}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...flags, bin, ...words], { encoding: 'utf8' });
  return { status, stdout, stderr };
}

/** Creates a `bin.mjs` without a Node installed by npm. */
function binAlone(): string {
  const folder = testFolder();
  mkdirSync(path.join(folder, 'cli'));
  copyFileSync(BIN, path.join(folder, 'cli', 'bin.mjs'));
  return path.join(folder, 'cli', 'bin.mjs');
}

test.each(['20.19.0', '22.18.0', '23.11.1', '24.6.0'])('prints one sentence if Node %s is too old', (version) => {
  expect(runAs(version, binAlone(), 'status')).toEqual({
    status: 1,
    stdout: '',
    stderr: `Recollect needs Node 24.7 or newer; this is ${version}, and npm installed no other: run npm ci again.\n`,
  });
});

test('prints one sentence if npm installed no packages yet', () => {
  const root = testFolder();
  for (const folder of ['cli', 'config', 'infra'])
    cpSync(path.join(ROOT, folder), path.join(root, folder), { recursive: true });
  copyFileSync(path.join(ROOT, 'package.json'), path.join(root, 'package.json'));
  const { PATH } = processEnvironment();
  const started = spawnSync('npm', ['start', '--silent'], { cwd: root, env: { PATH }, encoding: 'utf8' });
  expect(started).toMatchObject({
    status: 1,
    stdout: '',
    stderr: 'The packages of Recollect are missing: run npm ci first.\n',
  });
});

test('prints one sentence for an old Node in the npm package, which brings none', () => {
  const bin = binAlone();
  writeFileSync(path.join(path.dirname(bin), 'main.js'), '');
  expect(runAs('20.20.2', bin, 'up')).toEqual({
    status: 1,
    stdout: '',
    stderr: 'Recollect needs Node 24.7 or newer; this is 20.20.2: install a newer Node.\n',
  });
});

test('runs the Node that npm installed', () => {
  const bin = binAlone();
  const bring = path.join(path.dirname(bin), '..', 'node_modules', 'node', 'bin');
  mkdirSync(bring, { recursive: true });
  symlinkSync(process.execPath, path.join(bring, 'node'));
  copyFileSync(path.join(ROOT, 'package.json'), path.join(path.dirname(bin), '..', 'package.json'));
  expect(runAs('24.6.0', bin, 'status').stderr).toContain(
    `Cannot find module '${path.join(path.dirname(bin), 'main.ts')}'`,
  );
});

test('runs the command with a sufficient Node', () => {
  const { status, stdout } = runAs(process.versions.node, BIN, '--help');
  expect({ status, stdout }).toEqual({ status: 0, stdout: expect.stringContaining('Usage: recollect') });
});

test('is executable in a checkout', () => {
  expect(statSync(BIN).mode & 0o111).toBe(0o111);
});

test('a command caches compiled modules in the folder that an instance created, and creates none itself', () => {
  const folders = { used: testFolder(), unused: testFolder() };
  mkdirSync(path.join(folders.used, 'compile'));
  for (const cache of Object.values(folders)) {
    const { PATH } = processEnvironment();
    const run = spawnSync(process.execPath, [BIN, '--help'], { env: { PATH, RECOLLECT_CACHE_DIR: cache } });
    expect(run.status).toBe(0);
  }
  expect(readdirSync(path.join(folders.used, 'compile'))).toHaveLength(1);
  expect(readdirSync(folders.unused)).toEqual([]);
});
