import { describe, expect, it } from 'vitest';
import { overlap, stopWordShare, termsOf, wordCount } from '../../../domain/text/terms.ts';

describe('termsOf', () => {
  it('leaves stop words out and brings forms together', () => {
    expect(termsOf('The tests were failing')).toEqual(termsOf('test fail'));
  });

  it('leaves identifiers, files and versions intact', () => {
    expect(termsOf('Fix MAX_SIZE in src/model.ts 1.2.3')).toEqual(['fix', 'max_size', 'src/model.ts', '1.2.3']);
  });

  it('pairs characters of scripts without spaces', () => {
    expect(termsOf('时区设置')).toEqual(['时区', '区设', '设置']);
    expect(termsOf('坏')).toEqual(['坏']);
  });
});

describe('overlap', () => {
  it('is the share of the smaller set', () => {
    expect(overlap(['a', 'b'], ['a', 'c', 'd'])).toBe(0.5);
    expect(overlap(['a', 'a'], ['a'])).toBe(1);
    expect(overlap([], ['a'])).toBe(0);
  });
});

it('counts words in both kinds of script', () => {
  expect(wordCount('fix the bug')).toBe(3);
  expect(wordCount('修复错误')).toBe(2);
  expect(wordCount('--- ***')).toBe(0);
});

it('distinguishes prose from lists and logs by stop words', () => {
  expect(stopWordShare('we do not have it in the list')).toBeGreaterThan(0.8);
  expect(stopWordShare('Resolved 28 packages')).toBe(0);
  expect(stopWordShare('使用本地时区')).toBe(1);
  expect(stopWordShare('')).toBe(0);
});
