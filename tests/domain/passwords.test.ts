import { describe, expect, test } from 'vitest';
import { weaknessOf } from '../../domain/passwords.ts';

const NAMES = ['nora.writer', 'nora@example.org'];

describe('weaknessOf', () => {
  test.each([
    ['aaaaaaaaaaaaaaaa', 'repeats one character'],
    ['🐋'.repeat(12), 'repeats one character'],
    ['Nora.Writer-1987', 'consists of your name'],
    ['nora@example.org', 'consists of your name'],
    ['xnorax-nora-nora', 'consists of your name'],
    ['Recollect!Recollect!', 'consists of your name'],
    ['ｒｅｃｏｌｌｅｃｔ2026', 'consists of your name'],
  ])('finds why %s is easily guessed', (password, message) => {
    expect(weaknessOf(password, NAMES)).toContain(message);
  });

  test.each(['correct horse battery', 'I recollect a blue whale', 'nora eats 12 green plums', 'abababababab'])(
    'has no objection to %s',
    (password) => {
      expect(weaknessOf(password, NAMES)).toBeNull();
    },
  );

  test('ignores names of one or two letters', () => {
    expect(weaknessOf('abababababac', ['a', 'b@example.org'])).toBeNull();
  });
});
