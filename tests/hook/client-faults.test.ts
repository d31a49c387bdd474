import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { until } from '../setup/until.ts';
import { logEntries, runClient, spoolLines, spoolNames, spoolText } from './support/client.ts';
import { fileClient } from './support/file-client.ts';
import type { ClientRun } from './support/client.ts';
import { API_HEADERS, deadServer, startRawServer, startServer } from './support/servers.ts';

// The client process while everything around it fails: it exits with 0, in time, prints nothing to the host and spools the event.

const SLACK_MS = 400;
const CAPTURE_MS = 500 + SLACK_MS;
const CONTEXT_MS = 2_000 + SLACK_MS;
/** The time that an empty process takes on this machine now, in milliseconds: a client cannot start faster. */
let startMs = 0;
const OLD = '2026-01-02T03:04:05Z';

const dataDirFor = fileClient();

beforeEach(() => {
  const started = performance.now();
  execFileSync(process.execPath, ['-e', '0']);
  startMs = performance.now() - started;
});

/** Exited with 0 and printed nothing to the host. */
function expectQuiet(run: ClientRun): void {
  expect(run).toMatchObject({ code: 0, signal: null, stdout: '', stderr: '' });
}

/** The same, and in time: once of three, because other tests keep this machine busy. */
async function expectInTime(run: () => Promise<ClientRun>, limitMs: number): Promise<void> {
  const elapsedMs: number[] = [];
  while (elapsedMs.length < 3 && !elapsedMs.some((each) => each < limitMs + startMs)) {
    const ended = await run();
    expectQuiet(ended);
    elapsedMs.push(ended.elapsedMs);
  }
  expect(Math.min(...elapsedMs)).toBeLessThan(limitMs + startMs);
}

/** Returns the spooled lines, including those of a detached process of a late client. */
const linesOf = (dataDir: string, count: number) =>
  until(async () => {
    // Written twice is stored once.
    const lines = [...new Map(spoolLines(dataDir).map((line) => [line.delivery, line])).values()];
    return lines.length >= count ? lines : undefined;
  });

describe('the server', () => {
  it('is not running: the event is spooled unchanged, with its time', async () => {
    const dataDir = dataDirFor(await deadServer());
    const run = await runClient('PostToolUse', { session_id: 's-1', tool_name: 'Bash', n: 1 }, { dataDir });
    expectQuiet(run);
    const [line] = await linesOf(dataDir, 1);
    expect(line).toMatchObject({
      v: 1,
      event: 'PostToolUse',
      host: 'claude-code',
      body: { session_id: 's-1', tool_name: 'Bash', n: 1, timestamp: expect.any(String) },
    });
    expect(spoolNames(dataDir)).toEqual(['s-1.local.ndjson']);
    expect(statSync(path.join(dataDir, 'spool')).mode & 0o777).toBe(0o700);
    expect(statSync(path.join(dataDir, 'spool', 's-1.local.ndjson')).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['PostToolUse', CAPTURE_MS],
    ['UserPromptSubmit', CONTEXT_MS],
  ])('accepts and never answers: %s ends within its limit', async (event, limitMs) => {
    const dataDir = dataDirFor(await startRawServer(() => undefined));
    await expectInTime(() => runClient(event, { session_id: 's' }, { dataDir }), limitMs);
    expect((await linesOf(dataDir, 1))[0]).toMatchObject({ event });
  });

  it('accepts and never responds to a request for context: nothing is spooled', async () => {
    const dataDir = dataDirFor(await startRawServer(() => undefined));
    await expectInTime(() => runClient('PreToolUse', { session_id: 's', tool_name: 'Read' }, { dataDir }), CONTEXT_MS);
    expect(spoolNames(dataDir)).toEqual([]);
  });

  it.each([
    ['resets the connection', 's', (socket: Socket) => socket.resetAndDestroy()],
    ['speaks no HTTP', 's', (socket: Socket) => socket.end('SSH-2.0-nothing\r\n\r\n')],
    ['ends in the middle of its head', 's', (socket: Socket) => socket.end('HTTP/1.1 200 O')],
    ['answers without an end', 's', (socket: Socket) => socket.write('x'.repeat(200_000))],
  ])('%s: the event is spooled', async (_what, session, answer) => {
    const dataDir = dataDirFor(await startRawServer(answer));
    expectQuiet(await runClient('Stop', { session_id: session }, { dataDir }));
    expect(await linesOf(dataDir, 1)).toMatchObject([{ event: 'Stop' }]);
  });

  it('returns context that is no JSON, or too long: nothing is printed', async () => {
    const long = { hookSpecificOutput: { additionalContext: 'x'.repeat(60_000) } };
    for (const text of ['<html>', '[]', 'null', '{"hookSpecificOutput":7}', JSON.stringify(long)]) {
      const server = await startServer((_received, response) => response.writeHead(200, API_HEADERS).end(text));
      const run = await runClient('SessionStart', { session_id: 's' }, { dataDir: dataDirFor(server) });
      expect(run).toMatchObject({ code: 0, stdout: '', stderr: '' });
    }
  });

  it('is not configured yet: the event waits for the first start', async () => {
    const dataDir = dataDirFor(null);
    expectQuiet(await runClient('Stop', { session_id: 's' }, { dataDir }));
    expect(await linesOf(dataDir, 1)).toMatchObject([{ event: 'Stop' }]);
  });
});

describe('stdin', () => {
  it.each([
    ['no JSON', 'not json'],
    ['half of it', '{"session_id":"s"'],
    ['a list', '[1]'],
    ['a text', '"s"'],
    ['nothing', ''],
    ['an object of nothing', '{}'],
  ])('contains %s: nothing is spooled or printed', async (_what, input) => {
    const dataDir = dataDirFor(await deadServer());
    expectQuiet(await runClient('PostToolUse', input, { dataDir }));
    expect(spoolNames(dataDir)).toEqual([]);
    expect(logEntries(dataDir)).toHaveLength(1);
  });

  it('is no pipe at all', async () => {
    const dataDir = dataDirFor(await deadServer());
    expectQuiet(await runClient('Stop', '', { dataDir, stdin: 'none' }));
    expect(logEntries(dataDir)).toMatchObject([{ what: 'no-input' }]);
  });

  it('never ends and is incomplete: the client exits', async () => {
    const dataDir = dataDirFor(await deadServer());
    await expectInTime(() => runClient('PostToolUse', '{"session_id":"s"', { dataDir, keepOpen: true }), CAPTURE_MS);
    expect(spoolNames(dataDir)).toEqual([]);
    expect(logEntries(dataDir).slice(0, 1)).toMatchObject([{ what: 'out-of-time', detail: 'nothing to save' }]);
  });

  it('never ends but is complete: the event is spooled', async () => {
    const dataDir = dataDirFor(await deadServer());
    await expectInTime(() => runClient('PostToolUse', { session_id: 's' }, { dataDir, keepOpen: true }), CAPTURE_MS);
    expect((await linesOf(dataDir, 1))[0]).toMatchObject({ event: 'PostToolUse' });
  });

  it('is larger than any hook can be', async () => {
    const dataDir = dataDirFor(await deadServer());
    const run = await runClient('PostToolUse', Buffer.alloc(33 * 1024 * 1024, 'x'), { dataDir });
    expect(run).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(spoolNames(dataDir)).toEqual([]);
  });
});

describe('the command line', () => {
  it.each([[''], ['no such/event'], ['--help'], ['ä']])('of event %j: ends with 0', async (event) => {
    const dataDir = dataDirFor(null);
    expectQuiet(await runClient(event, { session_id: 's' }, { dataDir }));
    expect(logEntries(dataDir)).toMatchObject([{ what: 'no-event' }]);
  });

  it('of an unknown event: it is sent as any other', async () => {
    const dataDir = dataDirFor(await deadServer());
    expectQuiet(await runClient('BrandNew', { session_id: 's' }, { dataDir }));
    expect(await linesOf(dataDir, 1)).toMatchObject([{ event: 'BrandNew' }]);
  });
});

describe('a spooled event', () => {
  it('is redacted before it is written', async () => {
    const dataDir = dataDirFor(await deadServer());
    const secrets = ['hunter2-hunter2', 'AKIAABCDEFGHIJKLMNOP', 'behind the tag', 'my old song'];
    const input = {
      session_id: 's',
      tool_name: 'Bash',
      tool_input: { command: `export AWS=${secrets[1]}`, password: secrets[0] },
      tool_response: { stdout: `<private>${secrets[2]}</private> and <private>${secrets[3]}` },
    };
    expectQuiet(await runClient('PostToolUse', input, { dataDir }));
    await linesOf(dataDir, 1);
    for (const secret of secrets) expect(spoolText(dataDir)).not.toContain(secret);
    expect(spoolText(dataDir)).toContain('[redacted:aws-access-key-id]');
    expect(spoolText(dataDir)).toContain('[private]');
    expect(JSON.stringify(logEntries(dataDir))).not.toContain('hunter2');
  });

  it('is well-formed, and cut where it is long', async () => {
    const dataDir = dataDirFor(await deadServer());
    const input = `{"session_id":"s","tool_response":"a\\u0000b\\ud83d ${'long '.repeat(60_000)}"}`;
    const [line] = await until(async () => {
      // More than a pipe's capacity: on a busy machine it might not be written in time.
      expectQuiet(await runClient('PostToolUse', input, { dataDir, stdin: 'file' }));
      const lines = spoolLines(dataDir);
      return lines.length > 0 ? lines : undefined;
    });
    const response = String(line?.body['tool_response']);
    expect(response.startsWith('a\uFFFDb\uFFFD long')).toBe(true);
    expect(Buffer.byteLength(response)).toBeLessThanOrEqual(64 * 1024);
  });

  it('may be a megabyte: a process of its own redacts it, and the agent does not wait', async () => {
    const dataDir = dataDirFor(await deadServer());
    const input = { session_id: 's', tool_response: `password="hunter2-hunter2" ${'word '.repeat(200_000)}` };
    const [line] = await until(async () => {
      // More than a pipe's capacity.
      expectQuiet(await runClient('PostToolUse', input, { dataDir, stdin: 'file' }));
      const lines = spoolLines(dataDir);
      return lines.length > 0 ? lines : undefined;
    });
    expect(String(line?.body['tool_response'])).toMatch(/^password="\[redacted:/);
    expect(spoolText(dataDir)).not.toContain('hunter2');
  });

  it('never exceeds the bound: waiting events remain, further ones are counted', async () => {
    const dataDir = dataDirFor(await deadServer());
    const environment = { RECOLLECT_SPOOL_MAX_BYTES: '600' };
    for (let index = 0; index < 5; index += 1)
      expectQuiet(await runClient('Stop', { session_id: 's', index }, { dataDir, environment }));
    // Each event is in the spool or counted. What was saved at the time limit, or by a process of its own, has another entry or a later one.
    const { spooled, refused } = await until(async () => {
      const spooled = new Set(spoolLines(dataDir).map(({ delivery }) => delivery)).size;
      const refused = logEntries(dataDir).filter(({ what }) => what === 'not-spooled');
      return spooled + refused.length >= 5 ? { spooled, refused } : undefined;
    });
    expect(spooled).toBeGreaterThan(0);
    expect(spooled).toBeLessThan(5);
    expect(spooled + refused.length).toBe(5);
    expect(refused.some(({ detail }) => detail?.startsWith('full') === true)).toBe(true);
    expect(spoolText(dataDir).length).toBeLessThanOrEqual(600);
  });
});

describe('the disk', () => {
  it('refuses the spool: exit 0, with a log entry', async () => {
    const dataDir = dataDirFor(await deadServer());
    writeFileSync(path.join(dataDir, 'spool'), 'a file where the folder should be');
    expectQuiet(await runClient('Stop', { session_id: 's' }, { dataDir }));
    expect(readFileSync(path.join(dataDir, 'spool'), 'utf8')).toBe('a file where the folder should be');
    await until(async () => logEntries(dataDir).find(({ what }) => what === 'not-spooled'));
  });

  it('refuses everything: exit 0', async () => {
    const dead = await deadServer();
    const dataDir = dataDirFor(dead);
    rmSync(dataDir, { recursive: true });
    writeFileSync(dataDir, '');
    chmodSync(dataDir, 0o400);
    const environment = { RECOLLECT_URL: dead.url, RECOLLECT_API_KEY: dead.key };
    expectQuiet(await runClient('SessionStart', { session_id: 's' }, { dataDir, environment }));
    expect(readFileSync(dataDir, 'utf8')).toBe('');
  });

  it('is full: nothing breaks, and events are spooled again when space is free', async (context) => {
    const dataDir = dataDirFor(await deadServer());
    const spool = path.join(dataDir, 'spool');
    mkdirSync(spool);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k,mode=700', 'tmpfs', spool], { stdio: 'ignore' });
    } catch {
      context.skip('mounting is not allowed here');
    }
    try {
      writeFileSync(path.join(spool, 'filler'), Buffer.alloc(58 * 1024));
      for (let index = 0; index < 8; index += 1) {
        const run = await runClient('Stop', { session_id: 's', index, text: 'y'.repeat(1_500) }, { dataDir });
        expectQuiet(run);
      }
      await until(async () => logEntries(dataDir).find(({ what }) => what === 'not-spooled'));
      rmSync(path.join(spool, 'filler'));
      expectQuiet(await runClient('Stop', { session_id: 's', index: 'last' }, { dataDir }));
      await until(async () => (spoolText(dataDir).includes('"index":"last"') ? true : undefined));
      // The line after a half-written one begins on a line of its own.
      const lines = spoolText(dataDir)
        .split('\n')
        .filter((line) => line.includes('"index":"last"'));
      for (const line of lines) expect(JSON.parse(line)).toMatchObject({ body: { index: 'last' } });
    } finally {
      execFileSync('umount', ['-l', spool]);
    }
  });
});

describe('the process', () => {
  it('is killed between read and write: nothing half-done is left', async () => {
    const dataDir = dataDirFor(await deadServer());
    await until(async () => {
      const { signal } = await runClient('PostToolUse', '{"session_id":"s","n":1', {
        dataDir,
        keepOpen: true,
        onStart: (child) => setTimeout(() => child.kill('SIGKILL'), 60),
      });
      expect(spoolNames(dataDir)).toEqual([]);
      // On a busy machine its time may be over before this one kills it.
      return signal === 'SIGKILL' || undefined;
    });
    expectQuiet(await runClient('PostToolUse', { session_id: 's', n: 2 }, { dataDir }));
    expect((await linesOf(dataDir, 1)).map(({ body }) => body['n'])).toEqual([2]);
  });

  it('has a hanging thread, as in a name look-up: it exits in time', async () => {
    const dataDir = dataDirFor(await startRawServer(() => undefined));
    const fifo = path.join(dataDir, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const preload = path.join(dataDir, 'hang.cjs');
    writeFileSync(preload, `require('node:fs').open(${JSON.stringify(fifo)}, 'r', () => {});`);
    await expectInTime(
      () => runClient('Stop', { session_id: 's' }, { dataDir, nodeFlags: ['--require', preload] }),
      CAPTURE_MS,
    );
    expect((await linesOf(dataDir, 1))[0]).toMatchObject({ event: 'Stop' });
  });

  it('looks for facts of the project longer than its time: the event is saved, and has them', async () => {
    const dataDir = dataDirFor(await deadServer());
    const cwd = path.join(dataDir, 'project');
    execFileSync('git', ['init', '-q', cwd]);
    const identity = ['-c', 'user.name=a', '-c', 'user.email=a@example.com'];
    execFileSync('git', ['-C', cwd, ...identity, 'commit', '-q', '--allow-empty', '-m', 'first']);
    const preload = path.join(dataDir, 'late.cjs');
    writeFileSync(preload, `require('node:child_process').execFile = () => {};`);
    const options = { dataDir, cwd: dataDir, nodeFlags: ['--require', preload] };
    expectQuiet(await runClient('SessionStart', { session_id: 's', cwd: 'project' }, options));
    const first = execFileSync('git', ['-C', cwd, 'rev-parse', 'HEAD'], { encoding: 'utf8' }).trim();
    expect((await linesOf(dataDir, 1))[0]?.body).toMatchObject({ session_id: 's', root: cwd, repository: first });
  });

  it('removes the folder of the process: the event is saved without facts', async () => {
    const dataDir = dataDirFor(await deadServer());
    const cwd = path.join(dataDir, 'removed');
    mkdirSync(cwd);
    const preload = path.join(dataDir, 'remove.cjs');
    writeFileSync(preload, `process.chdir('.');\nrequire('node:fs').rmdirSync(${JSON.stringify(cwd)});`);
    expectQuiet(
      await runClient('SessionStart', { session_id: 's' }, { dataDir, cwd, nodeFlags: ['--require', preload] }),
    );
    expect((await linesOf(dataDir, 1))[0]?.body).toEqual({ session_id: 's', timestamp: expect.any(String) });
  });

  it('has a clock that was set back: the order of the file is the order', async () => {
    const dataDir = dataDirFor(await deadServer());
    const preload = path.join(dataDir, 'back.cjs');
    writeFileSync(
      preload,
      `const Real = Date; globalThis.Date = class extends Real {
         constructor(...words) { if (words.length === 0) super(Real.now() - 3_600_000); else super(...words); }
         static now() { return Real.now() - 3_600_000; }
       };`,
    );
    await runClient('Stop', { session_id: 's', n: 1 }, { dataDir });
    await linesOf(dataDir, 1);
    await runClient('Stop', { session_id: 's', n: 2 }, { dataDir, nodeFlags: ['--require', preload] });
    const lines = await linesOf(dataDir, 2);
    expect(lines.map(({ body }) => body['n'])).toEqual([1, 2]);
    const [first, second] = lines.map(({ body }) => String(body['timestamp']));
    expect(Date.parse(second ?? '')).toBeLessThan(Date.parse(first ?? '') - 3_000_000);
    expect(new Set(lines.map(({ delivery }) => delivery)).size).toBe(2);
  });

  it('runs without a possible data directory: nothing is created', async () => {
    const dataDir = dataDirFor(null);
    rmSync(dataDir, { recursive: true });
    expectQuiet(await runClient('PreToolUse', { session_id: 's', timestamp: OLD }, { dataDir }));
    expect(existsSync(dataDir)).toBe(false);
  });
});
