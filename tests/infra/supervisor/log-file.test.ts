import { closeSync, existsSync, mkdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { Backoff } from '../../../infra/supervisor/supervised-service.ts';
import { lastLines, openLog, rotateLog } from '../../../infra/supervisor/log-file.ts';
import { testFolder } from '../support/folder.ts';

test('rotates a log over its limit; its writer continues at the start of the file', () => {
  const file = path.join(testFolder(), 'a.log');
  const writer = openLog(file);
  writeSync(writer, 'old '.repeat(100));
  expect(rotateLog(file, 1000)).toBe(false);
  expect(rotateLog(file, 100)).toBe(true);
  writeSync(writer, 'new');
  closeSync(writer);
  expect(readFileSync(file, 'utf8')).toBe('new');
  expect(readFileSync(`${file}.1`, 'utf8')).toBe('old '.repeat(100));
});

test('shifts old logs and deletes the oldest', () => {
  const file = path.join(testFolder(), 'a.log');
  for (const content of ['1', '2', '3', '4', '5']) {
    writeFileSync(file, content.repeat(10));
    rotateLog(file, 5);
  }
  expect([1, 2, 3].map((number) => readFileSync(`${file}.${number}`, 'utf8')[0])).toEqual(['5', '4', '3']);
  expect(existsSync(`${file}.4`)).toBe(false);
});

test('loses no log if the copy fails', () => {
  const file = path.join(testFolder(), 'a.log');
  writeFileSync(file, 'now'.repeat(10));
  writeFileSync(`${file}.1`, 'before');
  mkdirSync(`${file}.new`);
  expect(() => rotateLog(file, 5)).toThrow('EISDIR');
  expect(readFileSync(file, 'utf8')).toBe('now'.repeat(10));
  expect(readFileSync(`${file}.1`, 'utf8')).toBe('before');
});

test('returns the last lines in order, also of a short, an empty and a missing log', () => {
  const folder = testFolder();
  const file = path.join(folder, 'a.log');
  writeFileSync(file, 'one\ntwo\nthree\n');
  expect(lastLines(file, 2)).toEqual(['two', 'three']);
  expect(lastLines(file, 9)).toEqual(['one', 'two', 'three']);
  expect(lastLines(file, 0)).toEqual([]);
  writeFileSync(file, '');
  expect(lastLines(file, 3)).toEqual([]);
  expect(lastLines(path.join(folder, 'none.log'), 3)).toEqual([]);
  expect(rotateLog(path.join(folder, 'none.log'))).toBe(false);
});

test('delays double from 0.5 s to 30 s, and reset after a minute of health', () => {
  const backoff = new Backoff();
  expect(Array.from({ length: 9 }, () => backoff.failed(0))).toEqual([
    500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000,
  ]);
  expect(backoff.failures).toBe(9);
  backoff.ready(100_000);
  expect(backoff.failed(159_999)).toBe(30_000);
  backoff.ready(200_000);
  expect(backoff.failed(260_000)).toBe(500);
  expect(backoff.failures).toBe(1);
});
