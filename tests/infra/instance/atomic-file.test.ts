import { mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { writeFileAtomic } from '../../../infra/instance/atomic-file.ts';
import { testFolder } from '../support/folder.ts';

test('replaces the complete content with the requested mode and leaves no other file', () => {
  const folder = testFolder();
  const file = path.join(folder, 'deep', 'state.json');
  writeFileAtomic(file, 'a long first content', 0o600);
  writeFileAtomic(file, 'second', 0o640);
  expect(readFileSync(file, 'utf8')).toBe('second');
  expect(statSync(file).mode & 0o777).toBe(0o640);
  expect(readdirSync(path.dirname(file))).toEqual(['state.json']);
});

test('a failed write leaves the old file and no temporary one', () => {
  const folder = testFolder();
  const target = path.join(folder, 'taken');
  mkdirSync(path.join(target, 'child'), { recursive: true });
  expect(() => writeFileAtomic(target, 'content')).toThrow('EISDIR');
  expect(readdirSync(folder)).toEqual(['taken']);
});
