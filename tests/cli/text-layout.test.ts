import { expect, test } from 'vitest';
import { sizeText } from '../../cli/text/text-layout.ts';

test.each([
  [0, '0 bytes'],
  [999, '999 bytes'],
  [1_000, '1 KB'],
  [31_249_000, '31.2 MB'],
  [999_400_000, '999 MB'],
  [999_500_000, '1 GB'],
  [2 ** 60, '1152922 TB'],
])('a size has three digits in its largest decimal unit: %d', (bytes, text) => {
  expect(sizeText(bytes)).toBe(text);
});
