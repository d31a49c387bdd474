import { hash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { BreachedPasswords } from '../../../stores/files/breached-passwords.ts';
import { testFolder } from '../../infra/support/folder.ts';

const sha1 = (password: string): string => hash('sha1', password).toUpperCase();
/** More lines than one block has. */
const PASSWORDS = Array.from({ length: 5_000 }, (_, at) => `password number ${at}`).toSorted((a, b) =>
  sha1(a) < sha1(b) ? -1 : 1,
);

/** Writes a list of passwords, of which every second one has a count; returns its path. */
function listOf(passwords: readonly string[], end: string, isEnded = true): string {
  const file = path.join(testFolder(), 'list.txt');
  const lines = passwords.map((password, at) => sha1(password) + (at % 2 === 0 ? `:${at + 1}` : ''));
  writeFileSync(file, lines.join(end) + (isEnded ? end : ''));
  return file;
}

describe('a list of breached passwords', () => {
  test.each([
    ['LF', '\n', true],
    ['CR and LF', '\r\n', true],
    ['LF, except the last one', '\n', false],
  ] as const)('with lines that end in %s contains each of its passwords and no other', async (_, end, isEnded) => {
    const list = new BreachedPasswords(listOf(PASSWORDS, end, isEnded));
    for (const password of PASSWORDS) expect([password, await list.has(password)]).toEqual([password, true]);
    for (let at = 0; at < 200; at += 1) expect(await list.has(`other ${at}`)).toBe(false);
  });

  test.each([1, 2, 3])('of %i lines contains each', async (length) => {
    const few = PASSWORDS.slice(0, length);
    const list = new BreachedPasswords(listOf(few, '\n'));
    for (const password of few) expect(await list.has(password)).toBe(true);
    expect(await list.has('other')).toBe(false);
  });

  test('can be replaced; without its file it has no answer', async () => {
    const file = listOf(PASSWORDS, '\n');
    const list = new BreachedPasswords(file);
    writeFileSync(file, `${sha1('new')}\n`);
    expect([await list.has('new'), await list.has(PASSWORDS[0] ?? '')]).toEqual([true, false]);
    rmSync(file);
    await expect(list.has('new')).rejects.toThrow('ENOENT');
  });

  const [first = '', second = ''] = [sha1('a'), sha1('b')].toSorted();
  test.each([
    ['an empty file', '', 'is no file with hashes'],
    ['another order', `${second}\n${first}\n`, 'the hashes are not sorted'],
    [
      'another order at the end of a long file',
      `${first}\n`.repeat(2_000) + `${second}\n`.repeat(2_000) + `${first}\n`.repeat(10),
      'not sorted',
    ],
    ['small letters', `${first.toLowerCase()}\n`, 'a line is not a SHA-1 in capitals'],
    ['passwords', 'password\n', 'a line is not a SHA-1'],
    ['one long line', 'A'.repeat(10_000), 'a line is not a SHA-1'],
  ])('rejects %s at the start, with the setting', (_, content, message) => {
    const file = path.join(testFolder(), 'list.txt');
    writeFileSync(file, content);
    expect(() => new BreachedPasswords(file)).toThrow(/^RECOLLECT_BREACHED_PASSWORDS_FILE: /);
    expect(() => new BreachedPasswords(file)).toThrow(message);
  });

  test('rejects a missing file and a folder', () => {
    const folder = testFolder();
    expect(() => new BreachedPasswords(path.join(folder, 'none'))).toThrow('the file cannot be read');
    expect(() => new BreachedPasswords(folder)).toThrow('is no file with hashes');
  });
});
