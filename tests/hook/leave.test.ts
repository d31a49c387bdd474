import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { processEnvironment } from '../../config/process-environment.ts';
import { until } from '../setup/until.ts';
import { pointTo, runClient, spoolLines } from './support/client.ts';
import { fileClient } from './support/file-client.ts';
import type { ClientOptions, ClientRun } from './support/client.ts';
import { answerJson, deadServer, startRawServer, startServer } from './support/servers.ts';

// The end of the process on a Node that cannot put another program in its place (before 22.15): with 0 and in time there, too.

/** Time limit of an event that only captures, with an allowance for a busy machine. */
const LIMIT_MS = 500 + 900;
const dataDirFor = fileClient();

/** Programs called `node` of this machine that have no `execve`. */
function olderNodes(): string[] {
  const files = (processEnvironment()['PATH'] ?? '')
    .split(path.delimiter)
    .map((folder) => path.join(folder, 'node'))
    .filter((file) => existsSync(file))
    .map((file) => realpathSync(file));
  return [...new Set(files)].filter((file) => {
    const probe = spawnSync(file, ['-p', 'typeof process.execve'], { encoding: 'utf8' });
    return probe.stdout.trim() === 'undefined';
  });
}

/** The Node of the tests without it, and every older one that is there. */
const NODES = [
  ['the Node of the tests', process.execPath] as const,
  ...olderNodes().map((file) => [file, file] as const),
];

/** Runs a client without `execve`; `preload` runs before it and before its child processes. */
function run(
  node: string,
  dataDir: string,
  input: unknown,
  options: Partial<ClientOptions> & { preload?: string } = {},
) {
  const { preload = '', ...rest } = options;
  const file = path.join(dataDir, 'preload.cjs');
  writeFileSync(file, `process.execve = undefined;\n${preload}`);
  const environment = { NODE_OPTIONS: `--require ${file}` };
  return runClient('Stop', input, { dataDir, node, environment, ...rest });
}

/** Ended with 0, silently, and once of three in time. */
async function expectInTime(again: () => Promise<ClientRun>): Promise<void> {
  const elapsedMs: number[] = [];
  while (elapsedMs.length < 3 && !elapsedMs.some((each) => each < LIMIT_MS)) {
    const ended = await again();
    expect(ended).toMatchObject({ code: 0, signal: null, stdout: '', stderr: '' });
    elapsedMs.push(ended.elapsedMs);
  }
  expect(Math.min(...elapsedMs)).toBeLessThan(LIMIT_MS);
}

const spooledStop = (dataDir: string) => until(async () => spoolLines(dataDir).find(({ event }) => event === 'Stop'));

/** Returns a preload whose name look-up hangs as the system's does: in a thread of the pool. */
const hangingLookUp = (dataDir: string) => {
  const fifo = path.join(dataDir, 'fifo');
  if (!existsSync(fifo)) execFileSync('mkfifo', [fifo]);
  return `require('node:dns').lookup = () => {
    require('node:fs').appendFileSync(${JSON.stringify(path.join(dataDir, 'lookups'))}, process.pid + '\\n');
    require('node:fs').open(${JSON.stringify(fifo)}, 'r', () => {});
  };`;
};

/** Returns true if the process runs; a zombie does not. */
function isRunning(pid: string): boolean {
  const state = spawnSync('ps', ['-o', 'stat=', '-p', pid], { encoding: 'utf8' }).stdout.trim();
  return state !== '' && !state.startsWith('Z');
}

describe.each(NODES)('without execve: %s', (_name, node) => {
  it('delivers, and ends with 0', async () => {
    const server = await startServer(answerJson(200, {}));
    const dataDir = dataDirFor(server);
    await until(async () => {
      expect(await run(node, dataDir, { session_id: 's' })).toMatchObject({ code: 0, stdout: '', stderr: '' });
      return server.received.length > 0 ? true : undefined;
    });
    expect(server.received[0]?.body).toMatchObject({ session_id: 's' });
  });

  it.each([
    ['', 'none'],
    ['{"session_id":"s"', 'half'],
  ])('ends with 0 when its stdin is %j and never ends', async (input) => {
    const dataDir = dataDirFor(await deadServer());
    await expectInTime(() => run(node, dataDir, input, { keepOpen: true }));
    expect(spoolLines(dataDir)).toEqual([]);
  });

  it('reads a complete stdin of any size that never ends', async () => {
    const dataDir = dataDirFor(await deadServer());
    const input = { session_id: 's', text: 'x'.repeat(200_000) };
    await expectInTime(() => run(node, dataDir, input, { keepOpen: true }));
    expect(await spooledStop(dataDir)).toMatchObject({ body: { session_id: 's' } });
  });

  it('ends with 0 when the server never answers and stdin never ends', async () => {
    const dataDir = dataDirFor(await startRawServer(() => undefined));
    await expectInTime(() => run(node, dataDir, { session_id: 's' }, { keepOpen: true }));
    expect(await spooledStop(dataDir)).toMatchObject({ event: 'Stop' });
  });

  it.each(['http', 'https'])('ends with 0 when a look-up for %s hangs, and leaves no process', async (scheme) => {
    const dataDir = dataDirFor({ url: `${scheme}://memory.test:1`, key: 'k' });
    const preload = hangingLookUp(dataDir);
    // On a loaded machine the delivery may end before its look-up starts: it is repeated.
    await until(async () => {
      await expectInTime(() => run(node, dataDir, { session_id: 's' }, { preload }));
      return existsSync(path.join(dataDir, 'lookups')) || undefined;
    });
    expect(await spooledStop(dataDir)).toMatchObject({ event: 'Stop' });
    const pids = readFileSync(path.join(dataDir, 'lookups'), 'utf8').trim().split('\n');
    await until(async () => (pids.some((pid) => isRunning(pid)) ? undefined : true));
  });

  it.each([
    ['memory.test', "done(null, [{ address: '127.0.0.1', family: 4 }])"],
    ['localhost', "done(new Error('look-up called'))"],
  ])('finds %s', async (host, found) => {
    const server = await startServer(answerJson(200, {}));
    const dataDir = dataDirFor(server);
    pointTo(dataDir, { url: server.url.replace('127.0.0.1', host), key: server.key });
    const preload = `require('node:dns').lookup = (name, options, done) => { ${found}; };`;
    await until(async () => {
      expect(await run(node, dataDir, { session_id: 's' }, { preload })).toMatchObject({ code: 0, stderr: '' });
      return server.received.length > 0 ? true : undefined;
    });
    expect(server.received[0]?.headers.host).toMatch(host);
  });
});
