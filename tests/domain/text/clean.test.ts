import { describe, expect, it } from 'vitest';
import { capitalised, plainText, shorten, stripAnsi, verbatimHead, verbatimTail } from '../../../domain/text/clean.ts';

const ESCAPE = String.fromCodePoint(27);

describe('plainText', () => {
  it.each([
    ['emphasis', '**Fixed** the *bug* __in a.ts__', 'Fixed the bug in a.ts'],
    ['links', 'See [the docs](https://example.com/a?b=1).', 'See the docs.'],
    ['multiplication and globs', '2 * 3 * 4 and **/*.ts', '2 * 3 * 4 and **/*.ts'],
    ['names with underscores', 'my_long_name, __init__ and a/__init__.py', 'my_long_name, __init__ and a/__init__.py'],
    ['emoji and line breaks', 'Done ✅\n  at last 🎉', 'Done at last'],
    ['escape sequences', `${ESCAPE}[31mred${ESCAPE}[0m`, 'red'],
  ])('%s', (_, markdown, plain) => {
    expect(plainText(markdown)).toBe(plain);
  });
});

describe('cutting', () => {
  it('shortens at a word with an ellipsis', () => {
    expect(shorten('one two three four', 14)).toBe('one two three…');
    expect(shorten('short', 14)).toBe('short');
    expect(shorten('abcdefghijklmnop', 8)).toBe('abcdefg…');
  });

  it('never splits a surrogate pair', () => {
    const text = '😀😀😀😀';
    for (const cut of [1, 2, 3, 4, 5]) {
      expect(verbatimHead(text, cut).isWellFormed()).toBe(true);
      expect(verbatimTail(text, cut).isWellFormed()).toBe(true);
      expect(shorten(text, cut + 1).isWellFormed()).toBe(true);
    }
    expect(verbatimHead(text, 3)).toBe('😀');
    expect(verbatimTail(text, 3)).toBe('😀');
  });

  it('leaves heads and tails verbatim', () => {
    expect(verbatimHead('abc def', 5)).toBe('abc d');
    expect(verbatimTail('abc def', 5)).toBe('c def');
  });
});

it('raises the first letter only', () => {
  expect(capitalised('übung npm')).toBe('Übung npm');
  expect(capitalised('')).toBe('');
});

it('strips colours but not brackets', () => {
  expect(stripAnsi(`${ESCAPE}[1;32mok${ESCAPE}[0m [1]`)).toBe('ok [1]');
});
