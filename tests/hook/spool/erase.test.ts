import { randomUUID } from 'node:crypto';
import { appendFileSync, openSync, closeSync, readdirSync, readFileSync, renameSync, writeSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { appendToSpool } from '../../../hook/spool/append.ts';
import { takeDrainLock } from '../../../hook/spool/drain-lock.ts';
import { eraseSpooled } from '../../../hook/spool/erase.ts';
import { claimedName, spoolFiles } from '../../../hook/spool/folder.ts';
import { quarantine } from '../../../hook/spool/quarantine.ts';
import { makeDataDir, removeDataDir, spoolLines, spoolText } from '../support/client.ts';

let dataDir: string;
beforeEach(() => {
  dataDir = makeDataDir(null);
});
afterEach(() => {
  removeDataDir(dataDir);
});

function add(session: string, content: string, host = 'claude-code'): void {
  const body = { session_id: session, content };
  const delivery = randomUUID();
  const event = { session, server: 'local', delivery, event: 'Stop', host, namespace: 'default', body };
  expect(appendToSpool(dataDir, event, 1e9).kind).toBe('spooled');
}

const contents = () =>
  spoolLines(dataDir)
    .map(({ body }) => String(body['content']))
    .toSorted();
const folder = () => path.join(dataDir, 'spool');

it('erases a session by host and id, colons included, and no other session that contains its name', () => {
  add('a:b', 'mine');
  add('a:b', 'of another host', 'codex');
  add('other', 'contains "a:b"');
  expect(eraseSpooled(dataDir, { kind: 'session', host: 'claude-code', id: 'a:b' })).toBe(1);
  expect(contents()).toEqual(['contains "a:b"', 'of another host']);
  expect(eraseSpooled(dataDir, { kind: 'session', host: 'claude-code', id: 'a:b' })).toBe(0);
});

it('erases a text everywhere, in the quarantine and in claimed files too; drops lines that were already delivered', async () => {
  const text = 'Zürich "42%"\n\\x';
  add('one', `before ${text} after`);
  add('one', text.toUpperCase());
  await quarantine(
    dataDir,
    'two',
    'refused',
    spoolText(dataDir)
      .split('\n')
      .find((line) => line.includes('before')) ?? '',
  );
  const [file] = spoolFiles(dataDir);
  if (file === undefined) throw new Error('nothing is spooled');
  const sent = Buffer.byteLength(spoolText(dataDir));
  add('one', text);
  renameSync(path.join(folder(), file.name), path.join(folder(), claimedName(file, sent, randomUUID())));
  add('one', 'came after');
  expect(eraseSpooled(dataDir, { kind: 'text', text })).toBe(2);
  expect(contents()).toEqual(['came after']);
  expect(readdirSync(path.join(folder(), 'quarantine'))).toEqual([]);
  expect(readdirSync(folder()).filter((name) => name.startsWith('.'))).toEqual([]);
});

it('erases nothing while a drainer works', () => {
  add('one', 'waiting');
  const lock = takeDrainLock(folder());
  expect(eraseSpooled(dataDir, { kind: 'all' })).toBeNull();
  lock?.release();
  expect(contents()).toEqual(['waiting']);
  expect(eraseSpooled(dataDir, { kind: 'all' })).toBe(1);
  expect(spoolFiles(dataDir)).toEqual([]);
});

it('loses no line appended meanwhile, and erases unreadable lines with their session', () => {
  add('one', 'erased');
  add('two', 'stays');
  const waiting = spoolFiles(dataDir).find(({ session }) => session === 'one');
  const file = path.join(folder(), waiting?.name ?? '');
  // Half a line of a hook that was killed.
  appendFileSync(file, '{"v":1,"body":{"session_id":"one"');
  const handle = openSync(file, 'a');
  expect(eraseSpooled(dataDir, { kind: 'session', host: 'claude-code', id: 'one' })).toBe(2);
  // A hook that had the file open notices the replacement and writes its line again.
  writeSync(handle, '\n');
  closeSync(handle);
  add('one', 'appended');
  expect(contents()).toEqual(['appended', 'stays']);
  expect(readFileSync(file, 'utf8')).toContain('appended');
});

it('erases nothing without a spool', () => {
  expect(eraseSpooled(path.join(dataDir, 'nowhere'), { kind: 'all' })).toBe(0);
});
