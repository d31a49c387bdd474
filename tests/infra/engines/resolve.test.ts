import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { TEMPORAL } from '../../../infra/engines/pinned.ts';
import { cacheEntry } from '../../../infra/engines/program-files.ts';
import { checksumIn } from '../../../infra/engines/release.ts';
import { resolveEngine, resolveEngines, type ResolveOptions } from '../../../infra/engines/resolve.ts';
import { acquireLock } from '../../../infra/supervisor/lock.ts';
import { engineIn, releaseArchive, stampedProgram } from '../support/engine.ts';
import { serve } from '../support/file-server.ts';
import { testFolder } from '../support/folder.ts';
import { recordProgress } from '../support/progress.ts';

const NOWHERE = 'http://127.0.0.1:1';
const ARCHIVE = TEMPORAL.release.archive(process.platform, process.arch) ?? 'none';

function setUp(environment: Record<string, string> = {}, releases = NOWHERE) {
  const folder = testFolder();
  const progress = recordProgress();
  const signal = new AbortController().signal;
  const options: ResolveOptions = {
    cacheDir: path.join(folder, 'cache'),
    environment: { PATH: path.join(folder, 'bin'), ...environment },
    progress,
    signal,
    releases,
  };
  const entry = cacheEntry(options.cacheDir, TEMPORAL, process.platform, process.arch);
  return { folder, options, entry, lines: progress.lines };
}

async function sources(options: ResolveOptions, engine = TEMPORAL): Promise<Record<string, string>> {
  const found = await resolveEngine(engine, options);
  if ('tried' in found) throw new Error(found.tried.join('\n'));
  return Object.fromEntries([...found].map(([name, program]) => [name, `${program.source}: ${program.file}`]));
}

test('prefers a given path to the PATH and the PATH to the cache, for each program', async () => {
  const { folder, options, entry } = setUp();
  stampedProgram(path.join(entry, 'temporal-server'), 'any');
  stampedProgram(path.join(entry, 'temporal-sql-tool'), 'any');
  expect(await sources(options)).toEqual({
    'temporal-server': `cache: ${entry}/temporal-server`,
    'temporal-sql-tool': `cache: ${entry}/temporal-sql-tool`,
  });
  const onPath = stampedProgram(path.join(folder, 'bin', 'temporal-server'), TEMPORAL.version);
  const given = stampedProgram(path.join(folder, 'mine'), 'any');
  const environment = { ...options.environment, RECOLLECT_TEMPORAL_SQL_TOOL: given };
  expect(await sources({ ...options, environment })).toEqual({
    'temporal-server': `PATH: ${onPath}`,
    'temporal-sql-tool': `given path: ${given}`,
  });
  const both = { ...environment, RECOLLECT_TEMPORAL_SERVER: given };
  expect(await sources({ ...options, environment: both })).toMatchObject({ 'temporal-server': `given path: ${given}` });
});

test('skips another version on the PATH and reports the reason', async () => {
  const { folder, options, entry } = setUp();
  const other = stampedProgram(path.join(folder, 'bin', 'temporal-server'), '1.32.10');
  stampedProgram(path.join(entry, 'temporal-sql-tool'), 'any');
  const missing = await resolveEngine(engineIn(folder), options);
  expect('tried' in missing && missing.tried).toContain(`PATH: ${other} is not version 1.32.1`);
  stampedProgram(path.join(entry, 'temporal-server'), 'any');
  expect(await sources(options)).toMatchObject({ 'temporal-server': `cache: ${entry}/temporal-server` });
});

test.each([
  ['is not there', (): undefined => undefined],
  ['is a folder', (file: string) => mkdirSync(file)],
  ['cannot be run', (file: string) => writeFileSync(file, 'text', { mode: 0o600 })],
])('a given path that %s is an error and never skipped', async (_what, make) => {
  const { folder, options, entry } = setUp();
  stampedProgram(path.join(entry, 'temporal-server'), 'any');
  const given = path.join(folder, 'given');
  make(given);
  await expect(
    resolveEngine(TEMPORAL, { ...options, environment: { RECOLLECT_TEMPORAL_SERVER: given } }),
  ).rejects.toMatchObject({
    code: 'bad-path',
    message: expect.stringContaining(`RECOLLECT_TEMPORAL_SERVER names ${given}`),
  });
});

test('sets the execute permission of a program that a user copied into the cache', async () => {
  const { options, entry } = setUp();
  for (const { name } of TEMPORAL.programs) chmodSync(stampedProgram(path.join(entry, name), 'any'), 0o644);
  expect(await sources(options)).toMatchObject({ 'temporal-server': `cache: ${entry}/temporal-server` });
  expect(statSync(path.join(entry, 'temporal-server')).mode & 0o111).not.toBe(0);
});

async function release(folder: string, files: Readonly<Record<string, string>>, checksum?: string) {
  const { bytes, sha256 } = await releaseArchive(folder, files);
  const requests: string[] = [];
  const base = '/temporalio/temporal/releases/download/v1.32.1';
  const url = await serve((request, response) => {
    requests.push(request.url ?? '');
    if (request.url === `${base}/checksums.txt`)
      response.end(`${'0'.repeat(64)}  another.tar.gz\n${checksum ?? sha256}  ${ARCHIVE}\n`);
    else if (request.url === `${base}/${ARCHIVE}`) response.end(bytes);
    else response.writeHead(404).end();
  });
  return { url, requests, sha256 };
}

const PACKED = {
  'temporal-server': 'server',
  'temporal-sql-tool': 'tool',
  'config/development.yaml': 'not wanted',
  tdbg: 'not wanted',
};

test('verifies an official release, unpacks it into the cache, and reuses it next time', async () => {
  const { folder, options, entry, lines } = setUp();
  const { url, requests } = await release(folder, PACKED);
  expect(await sources({ ...options, releases: `${url}/` })).toEqual({
    'temporal-server': `official release: ${entry}/temporal-server`,
    'temporal-sql-tool': `official release: ${entry}/temporal-sql-tool`,
  });
  expect(readdirSync(entry).sort()).toEqual(['temporal-server', 'temporal-sql-tool']);
  expect(readFileSync(path.join(entry, 'temporal-server'), 'utf8')).toBe('server');
  expect(readdirSync(path.dirname(entry))).toEqual([path.basename(entry)]);
  expect(lines.some((line) => line.includes('downloading 1.32.1'))).toBe(true);
  expect(requests).toHaveLength(2);
  expect(await sources({ ...options, releases: url })).toMatchObject({
    'temporal-server': `cache: ${entry}/temporal-server`,
  });
  expect(requests).toHaveLength(2);
});

test('rejects an archive whose checksum differs from the published one and leaves no files', async () => {
  const { folder, options, entry } = setUp();
  const { url } = await release(folder, PACKED, 'f'.repeat(64));
  const missing = await resolveEngine(engineIn(folder), { ...options, releases: url });
  expect('tried' in missing && missing.tried.join('\n')).toContain(`expected ${'f'.repeat(64)}`);
  expect(existsSync(entry)).toBe(false);
  expect(readdirSync(path.dirname(entry))).toEqual([]);
});

test('a pinned checksum takes precedence over the published one', async () => {
  const { folder, options } = setUp();
  const { url, requests, sha256 } = await release(folder, PACKED, 'f'.repeat(64));
  const pinned = engineIn(folder, { release: { ...TEMPORAL.release, sha256: { [ARCHIVE]: sha256 } } });
  expect(await sources({ ...options, releases: url }, pinned)).toHaveProperty('temporal-server');
  expect(requests).toHaveLength(1);
});

test('an archive that lacks a program creates no cache entry', async () => {
  const { folder, options, entry } = setUp();
  const { url } = await release(folder, { 'temporal-server': 'server' });
  expect(await resolveEngine(engineIn(folder), { ...options, releases: url })).toHaveProperty('tried');
  expect(existsSync(entry)).toBe(false);
});

test('finds a checksum alone or beside the file name and ignores other text', () => {
  const hash = 'Ab'.repeat(32);
  expect(checksumIn(`${hash}\n`, 'x.tar.gz')).toBe(hash.toLowerCase());
  expect(checksumIn(`${'0'.repeat(64)}  y.tar.gz\n${hash} *x.tar.gz\n`, 'x.tar.gz')).toBe(hash.toLowerCase());
  expect(checksumIn(`${hash}  y.tar.gz\n`, 'x.tar.gz')).toBeNull();
  expect(checksumIn('<html>not found</html>', 'x.tar.gz')).toBeNull();
});

test('without Go and network one message lists, for all engines, what was tried and which file to put where', async () => {
  const { folder, options, entry } = setUp();
  const weaviate = engineIn(folder, { name: 'weaviate', version: '1.35.2' });
  const failure: unknown = await resolveEngines([engineIn(folder), weaviate], options).catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: 'EngineError', code: 'unavailable' });
  const message = String(failure);
  for (const part of [
    `Put temporal-server and temporal-sql-tool of version 1.32.1, executable, here:\n  ${entry}/temporal-server `,
    'RECOLLECT_TEMPORAL_SERVER',
    'PATH: no temporal-server',
    'official release: http://127.0.0.1:1/temporalio/temporal/releases/download/v1.32.1/checksums.txt is unreachable',
    'Go build: ',
    'weaviate 1.35.2',
  ]) {
    expect(message).toContain(part);
  }
});

test('removes unfinished files of killed processes, not those of a running one', async () => {
  const { folder, options, entry } = setUp();
  const { url } = await release(folder, PACKED);
  const engines = path.dirname(entry);
  for (const name of [`.unfinished-${2 ** 22}-a`, `.unfinished-${process.ppid}-b`])
    mkdirSync(path.join(engines, name), { recursive: true });
  await sources({ ...options, releases: url });
  expect(readdirSync(engines).sort()).toEqual([`.unfinished-${process.ppid}-b`, path.basename(entry)]);
});

test('a second process waits for the first and finds the engine in the cache', async () => {
  const { options, entry, lines } = setUp();
  mkdirSync(path.dirname(entry), { recursive: true });
  const other = acquireLock(`${entry}.lock`);
  const waiting = sources(options);
  await expect.poll(() => lines.join('\n')).toContain(`waiting for process ${process.pid}`);
  for (const { name } of TEMPORAL.programs) stampedProgram(path.join(entry, name), 'any');
  if (other.kind === 'acquired') other.release();
  expect(await waiting).toMatchObject({ 'temporal-server': `cache: ${entry}/temporal-server` });
});
