import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { appendToSpool } from '../../../hook/spool/append.ts';
import { quarantine } from '../../../hook/spool/quarantine.ts';
import { spoolStatus } from '../../../hook/spool/status.ts';
import { until } from '../../setup/until.ts';
import { drainTo, logEntries, runClient, spoolLines } from '../support/client.ts';
import { fileClient } from '../support/file-client.ts';
import { answerError, API_HEADERS, startServer } from '../support/servers.ts';

// Rejected events are quarantined; without space there, an event is neither lost nor counted as quarantined.

const QUARANTINE_BYTES = 16 * 1024 * 1024;
const dataDirFor = fileClient();

async function dataDirThatRefuses(session: string): Promise<string> {
  const refuse = answerError(422, 'VALIDATION_FAILED');
  const server = await startServer((received, response, index) => {
    if (received.body['session_id'] === session) refuse(received, response, index);
    else response.writeHead(200, API_HEADERS).end('{}');
  });
  const dataDir = dataDirFor(server);
  return dataDir;
}

function folderOf(dataDir: string): string {
  return path.join(dataDir, 'spool', 'quarantine');
}

/** Leaves `bytesLeft` bytes below the bound, with a sparse file. */
function fill(dataDir: string, bytesLeft: number): string {
  const filler = path.join(folderOf(dataDir), 'filler.ndjson');
  mkdirSync(folderOf(dataDir), { recursive: true });
  writeFileSync(filler, '');
  truncateSync(filler, QUARANTINE_BYTES - bytesLeft);
  return filler;
}

function add(dataDir: string, session: string, n: number): void {
  const event = { event: 'Stop', host: 'claude-code', namespace: 'default', body: { session_id: session, n } };
  const result = appendToSpool(dataDir, { ...event, session, server: 'local', delivery: randomUUID() }, 64_000_000);
  expect(result.kind).toBe('spooled');
}

describe('the quarantine', () => {
  it('stores a line with the reason, up to its bound', async () => {
    const dataDir = dataDirFor(null);
    await quarantine(dataDir, 's', 'why', '{"a":1}');
    const text = readFileSync(path.join(folderOf(dataDir), 's.ndjson'), 'utf8');
    expect(JSON.parse(text)).toEqual({ at: expect.any(String), reason: 'why', line: '{"a":1}' });
    fill(dataDir, text.length);
    expect(quarantine(dataDir, 's', 'why', '{"a":2}')).toBeNull();
    expect(readFileSync(path.join(folderOf(dataDir), 's.ndjson'), 'utf8')).toBe(text);
  });
});

describe('a drain with a full quarantine', () => {
  it('leaves the line in the spool, reports it, sends the other sessions, and continues when there is space', async () => {
    const dataDir = await dataDirThatRefuses('a');
    const filler = fill(dataDir, 10);
    for (const session of ['a', 'b']) for (let n = 0; n < 2; n += 1) add(dataDir, session, n);
    expect(await drainTo(dataDir)).toEqual({
      delivered: 2,
      forgotten: 0,
      quarantined: 0,
      end: { kind: 'stopped', reason: 'a line cannot be quarantined: the quarantine is full' },
    });
    expect(spoolLines(dataDir).map(({ body }) => body)).toEqual([
      { session_id: 'a', n: 0 },
      { session_id: 'a', n: 1 },
    ]);
    rmSync(filler);
    expect(await drainTo(dataDir)).toMatchObject({ delivered: 0, quarantined: 2, end: { kind: 'done' } });
    expect(spoolStatus(dataDir, 'local')).toMatchObject({ events: 0, quarantined: 2 });
  });
});

describe('a client with a full quarantine', () => {
  it('spools an event that it cannot quarantine', async () => {
    // A client that was too late spools its event, and later ones of the session behind it: each has a directory of its own.
    const dataDir = await until(async () => {
      const folder = await dataDirThatRefuses('a');
      fill(folder, 10);
      expect(await runClient('Stop', { session_id: 'a' }, { dataDir: folder })).toMatchObject({ code: 0, stdout: '' });
      const isRefused = logEntries(folder).some(({ detail }) => detail === 'status 422 VALIDATION_FAILED');
      return isRefused ? folder : undefined;
    });
    expect(spoolLines(dataDir)[0]).toMatchObject({ event: 'Stop', body: { session_id: 'a' } });
  });
});
