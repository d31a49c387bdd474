import { expect, test } from 'vitest';
import { indexNameOf, isOlderIndex, modelOfIndex } from '../../domain/index-model.ts';

test('the first version has the name of its model, as before there were versions', () => {
  expect(indexNameOf('bge-small-en-v1.5-q', 1)).toBe('bge-small-en-v1.5-q');
  expect(indexNameOf('bge-small-en-v1.5-q', 2)).toBe('bge-small-en-v1.5-q@2');
  for (const version of [1, 2, 12]) expect(modelOfIndex(indexNameOf('m@home-3d', version))).toBe('m@home-3d');
});

test('an index is older than one of the same model and a later version, and than no other', () => {
  expect(isOlderIndex('m', 'm@2')).toBe(true);
  expect(isOlderIndex('m@9', 'm@10')).toBe(true);
  expect(isOlderIndex('m@2', 'm@2')).toBe(false);
  expect(isOlderIndex('m@3', 'm@2')).toBe(false);
  expect(isOlderIndex('m', 'n@2')).toBe(false);
});
