import { expect, test } from 'vitest';
import { indexedChunkText, purposeOf } from '../../../domain/ranking/indexed-text.ts';

test('joins title, purpose and text without empty lines', () => {
  expect(indexedChunkText({ title: 'Bash: ls', purpose: 'what is here?', text: 'a.ts' })).toBe(
    'Bash: ls\nwhat is here?\na.ts',
  );
  expect(indexedChunkText({ title: '', purpose: '', text: 'a.ts' })).toBe('a.ts');
});

test('a purpose is the beginning of a prompt, on one line, cut at a word', () => {
  expect(purposeOf('  fix\n\n the\tbuild ')).toBe('fix the build');
  const long = purposeOf('word '.repeat(100));
  expect(long.length).toBeLessThanOrEqual(160);
  expect(long.endsWith('word')).toBe(true);
});

test('a purpose of 160 characters is complete', () => {
  const line = `${'word '.repeat(31)}words`;
  expect(line).toHaveLength(160);
  expect(purposeOf(line)).toBe(line);
});

test('a purpose without spaces is cut between characters, never within one', () => {
  const cut = purposeOf(`a${'😀'.repeat(200)}`);
  expect(cut.isWellFormed()).toBe(true);
  expect(cut.length).toBeLessThanOrEqual(160);
});
