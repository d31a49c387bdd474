import { describe, expect, test } from 'vitest';
import { compileExclusions, MAX_GLOBS } from '../../../domain/capture/exclusions.ts';
import { processorMs } from '../../setup/processor-time.ts';

function excludes(glob: string, path: string): boolean {
  return compileExclusions([glob])?.(path) ?? false;
}

describe('a glob excludes', () => {
  test.each([
    ['/home/me/secret', '/home/me/secret'],
    ['/home/me/secret', '/home/me/secret/below/deep'],
    ['/home/me/secret/', '/home/me/secret'],
    ['/home/me/secret/**', '/home/me/secret'],
    ['/home/*/secret/**', '/home/you/secret/x'],
    ['/home/**/secret', '/home/secret'],
    ['/home/**/secret', '/home/a/b/c/secret/d'],
    ['**/private', '/anywhere/at/all/private'],
    ['**/node_modules/**', '/src/app/node_modules/left/pad'],
    ['/src/*-client', '/src/bank-client'],
    ['/src/a?c', '/src/abc/d'],
    ['/src/*a*b*', '/src/xxaxxbxx'],
    ['~/work', '/home/anna/work/x'],
    ['~/work', '/Users/anna/work'],
    ['~/work', '/root/work'],
    ['~', '/home/anna'],
    ['C:\\clients\\*', 'C:\\clients\\bank\\app'],
    ['~/work', 'C:\\Users\\anna\\work'],
    ['/a/**/b/**/c', '/a/x/b/y/b/z/c'],
    ['/src/./app', '/src//app'],
  ])('%s: %s', (glob, path) => {
    expect(excludes(glob, path)).toBe(true);
  });

  test.each([
    ['/home/me/secret', '/home/me/secrets'],
    ['/home/me/secret', '/home/me'],
    ['/home/*/secret', '/home/a/b/secret'],
    ['/src/a?c', '/src/ac'],
    ['/src/*-client', '/src/client'],
    ['/Src', '/src'],
    ['~/work', '/srv/home/anna/work'],
    ['/a/**/b', '/a/x/c'],
    ['secret', '/home/secret'],
  ])('not %s: %s', (glob, path) => {
    expect(excludes(glob, path)).toBe(false);
  });

  test('excludes nothing for an empty list or one that would exclude everything', () => {
    for (const list of [[], [''], ['  '], ['**'], ['/'], ['**/**'], ['/**']])
      expect(compileExclusions(list)).toBeNull();
  });

  test('as one of several, and a list that is too long counts by its beginning', () => {
    const many = Array.from({ length: MAX_GLOBS + 1 }, (_, index) => `/p${index}`);
    const exclusion = compileExclusions(many);
    expect(exclusion?.('/p99/x')).toBe(true);
    expect(exclusion?.(`/p${MAX_GLOBS}`)).toBe(false);
  });

  test('in time that grows with the product of the lengths, not with their power', () => {
    const stars = `/${'*a'.repeat(100)}b`;
    const deep = `/${'**/x/'.repeat(60)}y`;
    const exclusion = compileExclusions([stars, deep]);
    const spentMs = processorMs(() => {
      expect(exclusion?.(`/${'a'.repeat(4_000)}`)).toBe(false);
      expect(exclusion?.(`/${'x/'.repeat(250)}z`)).toBe(false);
    });
    // Backtracking over a hundred stars would take longer than the universe has.
    expect(spentMs).toBeLessThan(2_000);
  });
});
