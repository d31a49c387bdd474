import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { appendToSpool, fitBody, redactBody } from '../../../hook/spool/append.ts';
import { isDraining, takeDrainLock } from '../../../hook/spool/drain-lock.ts';
import { claimedName, sessionName, spoolFiles } from '../../../hook/spool/folder.ts';
import { formatLine, LINE_BYTES, parseLine } from '../../../hook/spool/line.ts';
import type { SpoolLine } from '../../../hook/spool/line.ts';
import { readLines } from '../../../hook/spool/read-lines.ts';
import { makeDataDir, removeDataDir, spoolLines, spoolText } from '../support/client.ts';

let dataDir: string;

beforeEach(() => {
  dataDir = makeDataDir(null);
});

afterEach(() => {
  removeDataDir(dataDir);
});

const event = (body: Record<string, unknown>) => ({
  session: 's',
  server: 'local',
  delivery: randomUUID(),
  event: 'Stop',
  host: 'claude-code',
  namespace: 'default',
  body,
});

/** Lines that each of the processes writes. */
const EACH = 400;

describe('appending', () => {
  it('by many processes while a drainer renames the file loses and mixes no line', async () => {
    const module = path.resolve(import.meta.dirname, '..', '..', '..', 'hook', 'spool', 'append.ts');
    const code = `const { appendToSpool } = await import(${JSON.stringify(module)});
      for (let n = 0; n < ${EACH}; n += 1) {
        const result = appendToSpool(${JSON.stringify(dataDir)}, { session: 's', server: 'local', delivery: crypto.randomUUID(), event: 'Stop',
          host: 'claude-code', namespace: 'default', body: { session_id: 's', worker: Number(process.argv[1]), n, text: 'x'.repeat(3000) } }, 1e9);
        if (result.kind !== 'spooled') console.log(n, JSON.stringify(result));
      }`;
    const workers = [0, 1, 2, 3].map(
      (worker) =>
        new Promise<string>((resolve) => {
          execFile(
            process.execPath,
            ['--input-type=module', '-e', code, '--', String(worker)],
            (error, stdout, stderr) => resolve(`${error?.message ?? ''}${stdout}${stderr}`),
          );
        }),
    );
    const folder = path.join(dataDir, 'spool');
    const waiting = path.join(folder, 's.local.ndjson');
    let running = true;
    let claims = 0;
    const read: SpoolLine[] = [];
    /** Reads a claimed file to its end and removes it, as a drainer. */
    const drain = (claimed: string): void => {
      // A line without its end is being written: its writer notices the renamed file and writes the line again.
      const lines = readFileSync(claimed, 'utf8').split('\n').slice(0, -1);
      for (const line of lines) if (line !== '') read.push(parseLine(line));
      rmSync(claimed);
    };
    const take = (): void => {
      const claimed = path.join(folder, claimedName({ session: 's', server: 'local' }, 0, randomUUID()));
      try {
        renameSync(waiting, claimed);
      } catch {
        return; // Nothing waits right now.
      }
      claims += 1;
      drain(claimed);
    };
    const drainer = (async () => {
      while (running) {
        take();
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    expect(await Promise.all(workers)).toEqual(workers.map(() => ''));
    running = false;
    await drainer;
    for (const { name } of spoolFiles(dataDir)) drain(path.join(folder, name));
    expect(claims).toBeGreaterThan(3);
    const seen = new Set(read.map(({ body }) => `${String(body['worker'])}:${String(body['n'])}`));
    expect(seen.size).toBe(workers.length * EACH);
    // A line may be there twice, under one delivery id.
    expect(new Set(read.map(({ delivery }) => delivery)).size).toBe(workers.length * EACH);
  });

  it('writes again when the file was renamed under it', () => {
    mkdirSync(path.join(dataDir, 'spool'));
    expect(appendToSpool(dataDir, event({ session_id: 's', n: 1 }), 1e6).kind).toBe('spooled');
    expect(spoolFiles(dataDir)).toMatchObject([{ session: 's', server: 'local', claim: null }]);
  });

  it('after half a line begins on a line of its own', () => {
    mkdirSync(path.join(dataDir, 'spool'));
    writeFileSync(path.join(dataDir, 'spool', 's.local.ndjson'), '{"v":1,"deliv');
    appendToSpool(dataDir, event({ session_id: 's' }), 1e6);
    const [half, complete] = spoolText(dataDir)
      .split('\n')
      .filter((line) => line !== '');
    expect(() => parseLine(half ?? '')).toThrow('half-written');
    expect(parseLine(complete ?? '')).toMatchObject({ event: 'Stop' });
  });

  it('cuts a body of many long values until it fits a line', () => {
    const body = { session_id: 's', tool_response: Array.from({ length: 60 }, () => 'word '.repeat(10_000)) };
    expect(appendToSpool(dataDir, event(body), 1e8).kind).toBe('spooled');
    expect(spoolText(dataDir).length).toBeLessThan(LINE_BYTES);
    expect(spoolLines(dataDir)[0]?.body['session_id']).toBe('s');
    const fields = Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`f${n}`, 'x'.repeat(60_000)]));
    expect(appendToSpool(dataDir, event({ session_id: 's', ...fields }), 1e8)).toEqual({ kind: 'too-large' });
  });
});

describe('a written body', () => {
  it('retains names and identifiers, and nothing that is private', () => {
    const body = redactBody({
      session_id: 's\ud83d',
      tool_use_id: 'toolu_1',
      cwd: '/srv/a',
      password: 'hunter2-hunter2',
      prompt: '<private>x</private>y',
      n: 7,
    });
    expect(body).toEqual({
      session_id: 's\uFFFD',
      tool_use_id: 'toolu_1',
      cwd: '/srv/a',
      password: '[redacted:secret-field]',
      prompt: '[private]y',
      n: 7,
    });
    expect(fitBody({ a: 'b' }, 100)).toEqual({ a: 'b' });
    expect(fitBody({ a: 'b' }, 1)).toBeNull();
  });

  it('is a line that can be read again', () => {
    const line = {
      v: 1,
      delivery: randomUUID(),
      event: 'Stop',
      host: 'cursor',
      namespace: 'default',
      at: '2026-01-01T00:00:00Z',
      body: { a: '\n' },
    } as const;
    const text = formatLine(line).toString('utf8');
    expect(text.match(/\n/g)).toHaveLength(2);
    expect(parseLine(text.trim())).toEqual(line);
  });

  it.each([
    ['{"v":1', 'half-written'],
    ['7', 'no object'],
    ['{"v":2}', 'another version'],
    ['{"v":1,"delivery":"../x"}', 'no delivery id'],
    [`{"v":1,"delivery":"${randomUUID()}","event":"a/b"}`, 'no event'],
    [`{"v":1,"delivery":"${randomUUID()}","event":"a","host":"x&y"}`, 'no host'],
    [`{"v":1,"delivery":"${randomUUID()}","event":"a","host":"b","body":[]}`, 'no body'],
  ])('%s is none: %s', (text, reason) => {
    expect(() => parseLine(text)).toThrow(reason);
  });
});

describe('names of files', () => {
  it('are safe for any session id', () => {
    const ids = ['a-b_c', '../../etc/passwd', 'a b', 'ä', 'x'.repeat(256), '.', 'con.local'];
    const names = ids.map((id) => sessionName(id));
    expect(new Set(names).size).toBe(ids.length);
    expect(names[0]).toBe('a-b_c');
    for (const name of names) expect(name).toMatch(/^[\w-]{1,64}$/);
  });

  it('distinguish waiting, claimed and other files', () => {
    const folder = path.join(dataDir, 'spool');
    mkdirSync(folder);
    const claimed = claimedName({ session: 's', server: 'local' }, 120, randomUUID());
    for (const name of ['s.local.ndjson', claimed, '.last-try', 'x.ndjson', 'y.local.ndjson.tmp'])
      writeFileSync(path.join(folder, name), '');
    expect(spoolFiles(dataDir)).toEqual([
      { name: claimed, session: 's', server: 'local', claim: { offsetBytes: 120 } },
      { name: 's.local.ndjson', session: 's', server: 'local', claim: null },
    ]);
  });
});

describe('lines of a file', () => {
  const linesOf = (content: string | Buffer, from = 0) => {
    const file = path.join(dataDir, 'lines');
    writeFileSync(file, content);
    const handle = openSync(file, 'r');
    try {
      return [...readLines(handle, from)];
    } finally {
      closeSync(handle);
    }
  };

  it('are read with their places, empty ones left out', () => {
    expect(linesOf('\na\n\n\nbä\nc')).toEqual([
      { text: 'a', endBytes: 3 },
      { text: 'bä', endBytes: 9 },
      { text: 'c', endBytes: 10 },
    ]);
    expect(linesOf('a\nb\n', 2)).toEqual([{ text: 'b', endBytes: 4 }]);
    expect(linesOf('')).toEqual([]);
  });

  it('may be longer than one read, and too long', () => {
    const long = 'x'.repeat(600_000);
    expect(linesOf(`${long}\nb\n`).map(({ text }) => text?.length)).toEqual([600_000, 1]);
    expect(linesOf(`${'x'.repeat(3_000_000)}\nb\n`)).toEqual([
      { text: null, endBytes: 3_000_001 },
      { text: 'b', endBytes: 3_000_003 },
    ]);
  });
});

describe('the lock of the drainers', () => {
  it('is exclusive, and can be taken after its release', () => {
    const first = takeDrainLock(dataDir);
    expect(first).not.toBeNull();
    expect(takeDrainLock(dataDir)).toBeNull();
    expect(isDraining(dataDir)).toBe(true);
    first?.release();
    expect(isDraining(dataDir)).toBe(false);
    const second = takeDrainLock(dataDir);
    expect(second).not.toBeNull();
    // A late release of the first one is not the second one's.
    first?.release();
    expect(isDraining(dataDir)).toBe(true);
    second?.release();
  });

  it('of an ended process is taken over', () => {
    const file = path.join(dataDir, '.drain.lock');
    writeFileSync(file, '999999999 x\n');
    const lock = takeDrainLock(dataDir);
    expect(lock).not.toBeNull();
    expect(readFileSync(file, 'utf8')).toBe(`${process.pid} ${lock?.token}\n`);
    lock?.release();
    expect(readdirSync(dataDir)).toEqual([]);
  });
});
