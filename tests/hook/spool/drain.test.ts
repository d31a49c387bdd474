import { randomUUID } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createProgram } from '../../../cli/program.ts';
import { appendToSpool } from '../../../hook/spool/append.ts';
import { drainSpool } from '../../../hook/spool/drain.ts';
import { spoolStatus } from '../../../hook/spool/status.ts';
import { findTarget } from '../../../hook/target.ts';
import type { Target } from '../../../hook/target.ts';
import { watchSpool } from '../../../infra/supervisor/spool-watch.ts';
import { startTestInstance } from '../../setup/instance.ts';
import type { TestInstance } from '../../setup/instance.ts';
import { until } from '../../setup/until.ts';
import { logEntries, pointTo, runClient, spoolNames } from '../support/client.ts';
import { fileClient } from '../support/file-client.ts';
import { answerError, answerForeign, answerJson, API_HEADERS, deadServer, startServer } from '../support/servers.ts';

// Spooled events reach the real API: in order, complete, once.

const NO_SERVER = { server: null, spoolMaxBytes: 1 };
const SPOOL_BYTES = 1_000_000;
/** Limit of a proxy, below what the api takes. */
const PROXY_BYTES = 50_000;

let instance: TestInstance;
const dataDirFor = fileClient();

beforeAll(async () => {
  instance = await startTestInstance();
});

afterAll(async () => {
  await instance.close();
});

const realServer = () => ({ url: instance.url, key: instance.admin.key });

function targetOf(dataDir: string): Target {
  const target = findTarget(dataDir, NO_SERVER);
  if (target === null) throw new Error('no server configured');
  return target;
}

function add(dataDir: string, session: string, n: number, fields: Record<string, unknown> = {}): void {
  const result = appendToSpool(
    dataDir,
    {
      session,
      server: 'local',
      delivery: randomUUID(),
      event: 'PostToolUse',
      host: 'claude-code',
      namespace: 'default',
      body: { session_id: session, tool_name: 'Bash', tool_response: `result ${n}`, n, ...fields },
    },
    SPOOL_BYTES,
  );
  expect(result.kind).toBe('spooled');
}

/** Returns the stored contents of a session, in order. */
async function stored(session: string): Promise<string[]> {
  const rows = await instance.rows<{ content: string }>(
    'SELECT o.content FROM observations o JOIN sessions s ON s.id = o.session_id WHERE s.external_id = $1 ORDER BY o.seq',
    [session],
  );
  return rows.map(({ content }) => /result \d+/.exec(content)?.[0] ?? content);
}

const results = (count: number) => Array.from({ length: count }, (_, n) => `result ${n}`);
const drain = (dataDir: string) => drainSpool({ dataDir, target: targetOf(dataDir) });

describe('draining', () => {
  it('delivers each session in its order, once, and leaves nothing', async () => {
    const dataDir = dataDirFor(realServer());
    const [a, b] = [randomUUID(), randomUUID()];
    for (let n = 0; n < 20; n += 1) for (const session of [a, b]) add(dataDir, session, n);
    expect(await drain(dataDir)).toEqual({ delivered: 40, forgotten: 0, quarantined: 0, end: { kind: 'done' } });
    expect(await stored(a)).toEqual(results(20));
    expect(await stored(b)).toEqual(results(20));
    expect(spoolNames(dataDir)).toEqual([]);
  });

  it('stores an event once if a killed drainer sends it again', async () => {
    const dataDir = dataDirFor(realServer());
    const session = randomUUID();
    for (let n = 0; n < 10; n += 1) add(dataDir, session, n);
    const file = path.join(dataDir, 'spool', `${session}.local.ndjson`);
    const copy = readFileSync(file);
    await drain(dataDir);
    // As before the responses: claimed by a drainer that no longer runs.
    writeFileSync(path.join(dataDir, 'spool', `${session}.local.0.${randomUUID()}.draining`), copy);
    expect(await drain(dataDir)).toMatchObject({ delivered: 10, end: { kind: 'done' } });
    expect(await stored(session)).toEqual(results(10));
    expect(spoolNames(dataDir)).toEqual([]);
  });

  it('by two at once, and by one that took the lock from the other, stores once', async () => {
    const dataDir = dataDirFor(realServer());
    const session = randomUUID();
    for (let n = 0; n < 30; n += 1) add(dataDir, session, n);
    const reports = await Promise.all([drain(dataDir), drain(dataDir)]);
    expect(reports.map(({ end }) => end.kind).sort()).toEqual(['busy', 'done']);
    expect(await stored(session)).toEqual(results(30));

    const copies = randomUUID();
    for (let n = 0; n < 30; n += 1) add(dataDir, copies, n);
    const lock = path.join(dataDir, 'spool', '.drain.lock');
    const first = drain(dataDir);
    // As if the first one had been stopped for an hour.
    utimesSync(lock, new Date(), new Date(Date.now() - 3_600_000));
    const both = await Promise.all([first, drain(dataDir)]);
    expect(both.every(({ end }) => end.kind !== 'busy')).toBe(true);
    await until(async () => ((await drain(dataDir)).end.kind === 'done' ? true : undefined));
    expect((await stored(copies)).toSorted()).toEqual(results(30).toSorted());
    expect(spoolNames(dataDir)).toEqual([]);
  });

  it('quarantines a half-written line; everything else arrives', async () => {
    const dataDir = dataDirFor(realServer());
    const session = randomUUID();
    const file = path.join(dataDir, 'spool', `${session}.local.ndjson`);
    add(dataDir, session, 0);
    appendFileSync(file, '\n{"v":1,"delivery":"half');
    add(dataDir, session, 1);
    appendFileSync(file, '\n[]\n{"v":2}\n');
    add(dataDir, session, 2);
    appendFileSync(file, `\n{"v":1,"delivery":"${randomUUID()}","event":"Stop","ho`);
    expect(await drain(dataDir)).toMatchObject({ delivered: 3, quarantined: 4, end: { kind: 'done' } });
    expect(await stored(session)).toEqual(results(3));
    const quarantined = readFileSync(path.join(dataDir, 'spool', 'quarantine', `${session}.ndjson`), 'utf8');
    expect(quarantined.match(/(?<="reason":")[^"]+/g)).toEqual([
      'half-written',
      'another version',
      'another version',
      'half-written',
    ]);
    expect(statSync(path.join(dataDir, 'spool', 'quarantine', `${session}.ndjson`)).mode & 0o777).toBe(0o600);
  });

  it('quarantines rejected events, with the reason', async () => {
    const dataDir = dataDirFor(realServer());
    const session = randomUUID();
    add(dataDir, session, 0);
    add(dataDir, session, 1, { session_id: 7 });
    add(dataDir, session, 2);
    expect(await drain(dataDir)).toMatchObject({ delivered: 2, quarantined: 1, end: { kind: 'done' } });
    expect(await stored(session)).toEqual(['result 0', 'result 2']);
    const quarantined = readFileSync(path.join(dataDir, 'spool', 'quarantine', `${session}.ndjson`), 'utf8');
    expect(quarantined).toContain('status 422 VALIDATION_FAILED');
    expect(spoolStatus(dataDir, 'local')).toMatchObject({ events: 0, quarantined: 1 });
  });

  it('drops events of a deleted session', async () => {
    const refusing = await startServer(answerError(422, 'SESSION_DELETED'));
    const dataDir = dataDirFor(refusing);
    add(dataDir, 's', 0);
    expect(await drain(dataDir)).toEqual({ delivered: 0, forgotten: 1, quarantined: 0, end: { kind: 'done' } });
    expect(existsSync(path.join(dataDir, 'spool', 'quarantine'))).toBe(false);
  });

  it('sends its source and its delivery id', async () => {
    const server = await startServer(answerJson(200, {}));
    const dataDir = dataDirFor(server);
    add(dataDir, 's', 0);
    await drain(dataDir);
    const [one] = server.received;
    expect(one?.path).toBe('/api/v1/hooks/PostToolUse');
    expect(one?.headers['x-recollect-source']).toBe('spool');
    expect(one?.headers['x-recollect-delivery']).toMatch(/^[0-9a-f-]{36}$/);
    expect(one?.body).toMatchObject({ session_id: 's', n: 0 });
  });
});

describe('a server that stops in between', () => {
  it('gets the rest later, from where it stopped', async () => {
    let takes = 5;
    const server = await startServer((_received, response) => {
      takes -= 1;
      response.writeHead(takes >= 0 ? 200 : 503, API_HEADERS).end('{}');
    });
    const dataDir = dataDirFor(server);
    for (let n = 0; n < 12; n += 1) add(dataDir, 's', n);
    expect(await drain(dataDir)).toMatchObject({ delivered: 5, end: { kind: 'stopped', reason: 'status 503' } });
    expect(spoolStatus(dataDir, 'local')).toMatchObject({ events: 7, sessions: 1, quarantined: 0 });
    add(dataDir, 's', 12);
    takes = 100;
    expect(await drain(dataDir)).toMatchObject({ delivered: 8, end: { kind: 'done' } });
    const taken = server.received.filter((_, index) => index !== 5).map(({ body }) => body['n']);
    expect(taken).toEqual([...Array(13).keys()]);
  });

  it('delays one session, not the others', async () => {
    const server = await startServer((received, response) => {
      response.writeHead(received.body['session_id'] === 'a' ? 500 : 200, API_HEADERS).end('{}');
    });
    const dataDir = dataDirFor(server);
    for (const session of ['a', 'b', 'c']) add(dataDir, session, 0);
    expect(await drain(dataDir)).toMatchObject({ delivered: 2, end: { kind: 'stopped', reason: 'status 500' } });
    expect(spoolNames(dataDir).map((name) => name[0])).toEqual(['a']);
  });

  it('delays the session of an event that is too large for a proxy, not the others', async () => {
    const server = await startServer((received, response, index) => {
      if (received.text.length > PROXY_BYTES) answerForeign(413)(received, response, index);
      else answerJson(200, {})(received, response, index);
    });
    const dataDir = dataDirFor(server);
    add(dataDir, 'a', 0, { tool_response: 'x'.repeat(PROXY_BYTES) });
    for (const session of ['a', 'b', 'c']) add(dataDir, session, 1);
    expect(await drain(dataDir)).toMatchObject({
      delivered: 2,
      quarantined: 0,
      end: { kind: 'stopped', reason: 'status 413, not of Recollect' },
    });
    expect(spoolStatus(dataDir, 'local')).toMatchObject({ events: 2, sessions: 1 });
  });

  it.each([401, 403, 404])('answers %i, which is no rejection: the events wait', async (status) => {
    const dataDir = dataDirFor(await startServer(answerJson(status, {})));
    add(dataDir, 's', 0);
    expect(await drain(dataDir)).toMatchObject({
      quarantined: 0,
      end: { kind: 'stopped', reason: `status ${status}` },
    });
    expect(spoolStatus(dataDir, 'local').events).toBe(1);
  });

  it('is the one that the events were spooled for: another server does not get them', async () => {
    const server = await startServer(answerJson(200, {}));
    const dataDir = dataDirFor(server);
    add(dataDir, 's', 0);
    renameSync(path.join(dataDir, 'spool', 's.local.ndjson'), path.join(dataDir, 'spool', 's.0123456789abcdef.ndjson'));
    expect(await drain(dataDir)).toMatchObject({ delivered: 0, end: { kind: 'done' } });
    expect(spoolStatus(dataDir, 'local')).toMatchObject({ events: 0, elsewhere: 1 });
    expect(await drainSpool({ dataDir, target: targetOf(dataDir), anyServer: true })).toMatchObject({ delivered: 1 });
  });
});

describe('by the next hook', () => {
  it('of the session: it is queued behind waiting events, and all arrive in order', async () => {
    const dataDir = dataDirFor(await deadServer());
    const session = randomUUID();
    const hook = (n: number) =>
      runClient('PostToolUse', { session_id: session, tool_name: 'Bash', tool_response: `result ${n}` }, { dataDir });
    for (let n = 0; n < 3; n += 1) {
      await hook(n);
      await until(async () => (spoolStatus(dataDir, 'local').events === n + 1 ? true : undefined));
    }
    pointTo(dataDir, realServer());
    expect(await hook(3)).toMatchObject({ code: 0, stdout: '' });
    await until(async () => {
      if ((await stored(session)).length === 4) return true;
      // If the last failed attempt was less than two seconds ago, a later hook of any session drains.
      await runClient('PreToolUse', { session_id: randomUUID() }, { dataDir });
      return undefined;
    });
    expect(await stored(session)).toEqual(results(4));
  });

  it('that requests context: waiting events are sent first, then its own', async () => {
    const dataDir = dataDirFor(realServer());
    const session = randomUUID();
    for (let n = 0; n < 3; n += 1) add(dataDir, session, n);
    const run = await runClient('UserPromptSubmit', { session_id: session, prompt: 'and now?' }, { dataDir });
    expect(run).toMatchObject({ code: 0, stderr: '' });
    await until(async () => {
      await drain(dataDir);
      const rows = await instance.rows(
        'SELECT 1 FROM prompts p JOIN sessions s ON s.id = p.session_id WHERE s.external_id = $1',
        [session],
      );
      return rows.length === 1 ? true : undefined;
    });
    expect(await stored(session)).toEqual(results(3));
  });
});

describe('by the running instance', () => {
  it('drains what it finds, repeatedly, and logs it', async () => {
    const dataDir = dataDirFor(realServer());
    const session = randomUUID();
    add(dataDir, session, 0);
    const watch = watchSpool({ dataDir, everyMs: 50 });
    await until(async () => ((await stored(session)).length === 1 ? true : undefined));
    add(dataDir, session, 1);
    await until(async () => ((await stored(session)).length === 2 ? true : undefined));
    await watch.stop();
    add(dataDir, session, 2);
    expect(spoolNames(dataDir)).toHaveLength(1);
    expect(logEntries(dataDir).map(({ what }) => what)).toContain('drained');
  });
});

describe('recollect spool', () => {
  const command = async (words: readonly string[]) => {
    let out = '';
    let err = '';
    let code: number | undefined;
    const program = createProgram(
      {
        environment: {},
        output: { out: (text) => (out += text), err: (text) => (err += text), columns: null, hasColours: false },
      },
      (exit) => (code = exit),
    );
    await program.parseAsync(['node', 'recollect', 'spool', ...words]);
    return { code, out, err };
  };

  it('shows waiting events, drains them and shows the remaining ones', async () => {
    const dataDir = dataDirFor(realServer());
    const session = randomUUID();
    add(dataDir, session, 0);
    add(dataDir, session, 1);
    const before = await command(['status', '--data-dir', dataDir]);
    expect(before.code).toBe(1);
    expect(before.out).toMatch(/^pending {2}2 {2}/);
    const drained = await command(['drain', '--data-dir', dataDir]);
    expect(drained.code).toBe(0);
    expect(drained.out).toContain(`delivered  2  to ${instance.url}`);
    const json = await command(['status', '--json', '--data-dir', dataDir]);
    expect(json.code).toBe(0);
    expect(JSON.parse(json.out)).toMatchObject({ events: 0, sessions: 0, quarantined: 0, draining: false });
  });

  it('reports an unreachable server and a missing configuration', async () => {
    const dataDir = dataDirFor(await deadServer());
    add(dataDir, 's', 0);
    const stopped = await command(['drain', '--data-dir', dataDir]);
    expect(stopped.code).toBe(1);
    expect(stopped.out).toContain('Stopped: ECONNREFUSED.');
    const empty = path.join(dataDir, 'empty');
    mkdirSync(empty);
    expect((await command(['drain', '--data-dir', empty])).code).toBe(3);
    expect(readdirSync(empty)).toEqual([]);
  });
});
