import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { findPostgresBinaries } from '../../../infra/engines/postgres/binaries.ts';
import { ensureCluster, clearStalePostmaster } from '../../../infra/engines/postgres/cluster.ts';
import { chooseRunAs, closedFolderAbove, invoke } from '../../../infra/engines/postgres/run-as.ts';
import { runTool } from '../../../infra/engines/run-tool.ts';
import { testFolder } from '../support/folder.ts';

async function cluster(folder: string, signal = new AbortController().signal): Promise<string[]> {
  const binaries = await findPostgresBinaries();
  const updates: string[] = [];
  const runAs = chooseRunAs([binaries.postgres, path.dirname(folder)]);
  await ensureCluster({
    folder,
    binaries,
    runAs,
    password: 'secret',
    environment: { PATH: '/usr/bin:/bin' },
    signal,
    update: (text) => updates.push(text),
  });
  return updates;
}

test('creates the database under a temporary name and renames it when complete', async () => {
  const above = testFolder();
  const folder = path.join(above, 'postgres');
  expect(await cluster(folder)).toEqual(['creating the database files']);
  expect(readFileSync(path.join(folder, 'PG_VERSION'), 'utf8')).toBe('18\n');
  expect(readdirSync(above)).toEqual(['postgres']);
  expect(await cluster(folder)).toEqual([]);
});

test('a start that is aborted during database creation leaves no database folder', async () => {
  const above = testFolder();
  const folder = path.join(above, 'postgres');
  const abort = new AbortController();
  const created = Promise.allSettled([cluster(folder, abort.signal)]);
  // Often: the creation takes a second only.
  await expect.poll(() => readdirSync(above, { recursive: true }).join(), { interval: 5 }).toContain('PG_VERSION');
  abort.abort();
  expect(await created).toMatchObject([{ status: 'rejected', reason: { code: 'aborted' } }]);
  expect(existsSync(folder)).toBe(false);
  await cluster(folder);
  expect(readdirSync(above)).toEqual(['postgres']);
});

test('moves a folder without a working database aside and uses an empty one', async () => {
  const above = testFolder();
  const folder = path.join(above, 'postgres');
  mkdirSync(path.join(folder, 'base'), { recursive: true });
  expect(await cluster(folder)).toContainEqual(
    expect.stringMatching(/^an unfinished database was moved to postgres\.unfinished-\d+$/),
  );
  expect(readdirSync(above)).toHaveLength(2);
  const empty = path.join(above, 'empty');
  mkdirSync(empty);
  await cluster(empty);
  expect(existsSync(path.join(empty, 'PG_VERSION'))).toBe(true);
});

test.each([
  ['of another version', '17\n', /is of PostgreSQL 17; this version has 18/],
  ['that lost its version', null, /has lost its PG_VERSION file/],
])('a database %s is never touched', async (_what, version, message) => {
  const folder = path.join(testFolder(), 'postgres');
  mkdirSync(path.join(folder, 'global'), { recursive: true });
  writeFileSync(path.join(folder, 'global', 'pg_control'), 'precious');
  if (version !== null) writeFileSync(path.join(folder, 'PG_VERSION'), version);
  await expect(cluster(folder)).rejects.toThrow(message);
  expect(readFileSync(path.join(folder, 'global', 'pg_control'), 'utf8')).toBe('precious');
});

test('removes a lock file whose process id was reused, without ending that process', async () => {
  const folder = testFolder();
  const lockFile = path.join(folder, 'postmaster.pid');
  await clearStalePostmaster(folder);
  for (const content of [`${process.pid}\n${folder}\n`, `${2 ** 22}\n`, '']) {
    writeFileSync(lockFile, content);
    await clearStalePostmaster(folder);
    expect(existsSync(lockFile)).toBe(false);
  }
});

test('root runs PostgreSQL as another user, other users run it as themselves', async () => {
  const runAs = chooseRunAs([testFolder()]);
  const id = { ...invoke(runAs, 'id', ['-u']), environment: { PATH: '/usr/bin:/bin' }, workingDirectory: '/' };
  const { lines } = await runTool(id);
  expect(Number(lines[0])).not.toBe(0);
  expect(runAs.kind === 'self').toBe(process.geteuid?.() !== 0);
});

test('invocations use the chosen user', () => {
  expect(invoke({ kind: 'self' }, 'postgres', ['-D', 'x'])).toEqual({ file: 'postgres', args: ['-D', 'x'] });
  expect(invoke({ kind: 'user', uid: 7, gid: 8 }, 'postgres', [])).toEqual({
    file: 'postgres',
    args: [],
    uid: 7,
    gid: 8,
  });
  expect(invoke({ kind: 'namespace', uid: 7, gid: 8 }, 'postgres', ['-D', 'x'])).toEqual({
    file: 'unshare',
    args: ['--user', '--map-user=7', '--map-group=8', 'postgres', '-D', 'x'],
  });
});

test('names a folder that other users cannot search', () => {
  const folder = testFolder();
  const inside = path.join(folder, 'open', 'data');
  mkdirSync(inside, { recursive: true });
  chmodSync(folder, 0o700);
  expect(closedFolderAbove(inside)).toBe(folder);
  chmodSync(folder, 0o711);
  expect(closedFolderAbove(path.join(inside, 'not there yet'))).toBeNull();
});

test('an unsupported platform gets an error that lists the supported ones', async () => {
  await expect(findPostgresBinaries('win32', 'x64')).rejects.toMatchObject({
    code: 'platform',
    message: expect.stringContaining('Windows through WSL'),
  });
});

test('runs a helper program to its end, or ends its process group on abort', async () => {
  const base = { environment: { PATH: '/usr/bin:/bin' }, workingDirectory: '/' };
  expect(await runTool({ ...base, file: 'sh', args: ['-c', 'echo one; echo two >&2; exit 3'] })).toMatchObject({
    exitCode: 3,
  });
  await expect(runTool({ ...base, file: 'no-such-program', args: [] })).rejects.toMatchObject({ code: 'not-started' });
  const startedAt = performance.now();
  await expect(
    runTool({ ...base, file: 'sh', args: ['-c', 'sleep 60 & wait'], signal: AbortSignal.timeout(100) }),
  ).rejects.toMatchObject({ code: 'aborted' });
  expect(performance.now() - startedAt).toBeLessThan(50_000);
});
