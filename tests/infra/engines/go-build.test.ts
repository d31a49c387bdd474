import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { isOlder } from '../../../infra/engines/go-build.ts';
import { cacheEntry } from '../../../infra/engines/program-files.ts';
import { resolveEngine, type ResolveOptions } from '../../../infra/engines/resolve.ts';
import { identifyProcess } from '../../../infra/supervisor/process-identity.ts';
import { engineIn } from '../support/engine.ts';
import { testFolder } from '../support/folder.ts';
import { recordProgress } from '../support/progress.ts';

/** A fake `go`: a script that records its call and then runs the test's commands. */
function setUp(build: string, version = 'go1.26.8', environment: Record<string, string> = {}) {
  const folder = testFolder();
  const bin = path.join(folder, 'bin');
  const modules = path.join(folder, 'modules');
  mkdirSync(bin);
  mkdirSync(modules);
  writeFileSync(path.join(modules, 'go.mod'), 'module test\n\ngo 1.26.8\n');
  const script = `#!/bin/sh
if [ "$1" = env ]; then echo "${version}"; exit 0; fi
echo "$@" > "${folder}/arguments"; env > "${folder}/environment"; pwd > "${folder}/where"
while [ "$1" != -o ]; do shift; done; out="$2"
${build}
`;
  writeFileSync(path.join(bin, 'go'), script);
  chmodSync(path.join(bin, 'go'), 0o755);
  const progress = recordProgress();
  const abort = new AbortController();
  const options: ResolveOptions = {
    cacheDir: path.join(folder, 'cache'),
    environment: { PATH: `${bin}:/usr/bin:/bin`, ...environment },
    progress,
    signal: abort.signal,
    releases: 'http://127.0.0.1:1',
  };
  const engine = engineIn(modules);
  const entry = cacheEntry(options.cacheDir, engine, process.platform, process.arch);
  const read = (name: string): string => readFileSync(path.join(folder, name), 'utf8');
  return { folder, options, engine, entry, abort, lines: progress.lines, read };
}

const MAKE = 'echo server > "$out/server"; echo sql > "$out/sql"; chmod 755 "$out/server" "$out/sql"';

test('builds the pinned packages from the committed modules into the cache', async () => {
  const { options, engine, entry, read, folder } = setUp(MAKE, 'go1.26.8', { GOFLAGS: '-p=1' });
  const found = await resolveEngine(engine, options);
  expect(found).toBeInstanceOf(Map);
  expect(readdirSync(entry).sort()).toEqual(['temporal-server', 'temporal-sql-tool']);
  expect(readFileSync(path.join(entry, 'temporal-sql-tool'), 'utf8')).toBe('sql\n');
  expect(read('arguments')).toMatch(
    /^build .* go\.temporal\.io\/server\/cmd\/server go\.temporal\.io\/server\/cmd\/tools\/sql\n$/,
  );
  expect(read('where')).toBe(`${path.join(folder, 'modules')}\n`);
  expect(read('environment')).toContain('GOFLAGS=-p=1 -mod=readonly\n');
  expect(read('environment')).not.toContain('GOTOOLCHAIN');
});

test('allows an older Go to fetch the required toolchain and respects the user’s GOTOOLCHAIN', async () => {
  const older = setUp(MAKE, 'go1.25.3');
  await resolveEngine(older.engine, older.options);
  expect(older.read('environment')).toContain('GOTOOLCHAIN=auto\n');
  const chosen = setUp(MAKE, 'go1.25.3', { GOTOOLCHAIN: 'go1.30.0' });
  await resolveEngine(chosen.engine, chosen.options);
  expect(chosen.read('environment')).toContain('GOTOOLCHAIN=go1.30.0\n');
});

test('versions compare by their numbers', () => {
  expect([
    isOlder('1.25.9', '1.26.8'),
    isOlder('1.26.8', '1.26.8'),
    isOlder('1.26.10', '1.26.8'),
    isOlder('1.26rc1', '1.26.8'),
  ]).toEqual([true, false, false, true]);
});

test('a failed build reports its last output and leaves no cache entry', async () => {
  const { options, engine, entry } = setUp('echo half > "$out/server"; echo "module lookup disabled" >&2; exit 1');
  const missing = await resolveEngine(engine, options);
  expect('tried' in missing && missing.tried.at(-1)).toBe('Go build: go build exited with 1: module lookup disabled');
  expect(existsSync(entry)).toBe(false);
  expect(readdirSync(path.dirname(entry))).toEqual([]);
});

test('shows the current step and its duration', async () => {
  const seen = path.join(testFolder(), 'seen');
  const build = `echo go.temporal.io/server/common >&2; until [ -e "${seen}" ]; do sleep 0.1; done; ${MAKE}`;
  const { options, engine, lines } = setUp(build);
  const resolving = resolveEngine(engine, options);
  const shown = () => lines.findLast((line) => line.includes('building 1.32.1 with Go'));
  await expect.poll(shown).toMatch(/compiling, 1 packages, \d+ s$/);
  writeFileSync(seen, '');
  await resolving;
});

test('an abort kills the build’s process group and leaves no files', async () => {
  const { options, engine, entry, abort, folder } = setUp('sleep 300 & echo $! > "$OUT_OF_BAND"; wait', 'go1.26.8', {});
  const pidFile = path.join(folder, 'compiler');
  const resolving = resolveEngine(engine, {
    ...options,
    environment: { ...options.environment, OUT_OF_BAND: pidFile },
  });
  await expect.poll(() => existsSync(pidFile) && readFileSync(pidFile, 'utf8')).toMatch(/\d\n/);
  const compiler = Number(readFileSync(pidFile, 'utf8'));
  abort.abort();
  await expect(resolving).rejects.toMatchObject({ code: 'aborted' });
  await expect.poll(() => identifyProcess(compiler)).toBeNull();
  expect(readdirSync(path.dirname(entry))).toEqual([]);
});
