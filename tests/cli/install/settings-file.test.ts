import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { backupFiles, readSettingsFile, writeSettingsFile } from '../../../cli/install/settings-file.ts';
import { testFolder } from '../../infra/support/folder.ts';

const now = new Date('2026-01-02T03:04:05.678Z');
const options = { isPrivate: false, backup: null, now };
const backupTexts = (file: string) => backupFiles(file).map((name) => readFileSync(name, 'utf8'));

function fileWith(text: string | null, mode = 0o640): string {
  const file = path.join(testFolder(), 'settings.json');
  if (text !== null) writeFileSync(file, text, { mode });
  return file;
}

test('leaves a file alone that was changed after it was read', () => {
  const file = fileWith('{"a": 1}');
  const read = readSettingsFile(file);
  writeFileSync(file, '{"a": 2}');
  expect(() => writeSettingsFile(read, '{}', options)).toThrow('changed in the meantime');
  expect(readSettingsFile(file).text).toBe('{"a": 2}');
  expect(backupTexts(file)).toEqual([]);
});

test('leaves a file alone that appeared after it was read', () => {
  const file = fileWith(null);
  const read = readSettingsFile(file);
  expect(read).toMatchObject({ exists: false, text: '{}\n' });
  writeFileSync(file, '{"a": 2}');
  expect(() => writeSettingsFile(read, '{}', options)).toThrow('changed in the meantime');
});

test('leaves the mode unchanged, or restricts it to the owner if the file contains a key', () => {
  const file = fileWith('{}');
  writeSettingsFile(readSettingsFile(file), '{"a": 1}', options);
  expect(statSync(file).mode & 0o777).toBe(0o640);
  writeSettingsFile(readSettingsFile(file), '{"a": 2}', { ...options, isPrivate: true });
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('copies of one moment do not replace each other; the newest is first', () => {
  const file = fileWith('{"a": 0}');
  for (const a of [1, 2, 3])
    writeSettingsFile(readSettingsFile(file), `{"a": ${a}}`, { ...options, backup: readFileSync(file, 'utf8') });
  expect(backupTexts(file)).toEqual(['{"a": 2}', '{"a": 1}', '{"a": 0}']);
  const backup = writeSettingsFile(readSettingsFile(file), '{}', {
    isPrivate: false,
    backup: '{"a": 3}',
    now: new Date('2027-01-01T00:00:00Z'),
  });
  expect(backup).toBe(`${file}.recollect-backup-20270101T000000000Z`);
  expect(backupTexts(file)[0]).toBe('{"a": 3}');
});

test('an empty file counts as an empty object', () => {
  const file = fileWith(' \n');
  const read = readSettingsFile(file);
  expect(read.text).toBe('{}\n');
  writeSettingsFile(read, '{"a": 1}', { ...options, backup: ' \n' });
  expect(backupTexts(file)).toEqual([' \n']);
});

test('rejects a file that is too large for settings', () => {
  expect(() => readSettingsFile(fileWith(`{"a": "${'x'.repeat(5 * 1024 * 1024)}"}`))).toThrow('larger than');
});
