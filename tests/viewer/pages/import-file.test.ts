import { expect, test } from 'vitest';
import { MOST_BYTES, faultOf } from '../../../viewer/pages/keep/import-file.ts';

const ZSTD = [0x28, 0xb5, 0x2f, 0xfd];

/** A file that reports another size. */
function sized(size: number): Blob {
  return Object.defineProperty(new Blob([Uint8Array.from(ZSTD)]), 'size', { value: size });
}

test.each([
  ['accepts a file of Zstandard', new Blob([Uint8Array.from([...ZSTD, 1, 2])]), null],
  ['accepts the largest file', sized(MOST_BYTES), null],
  ['refuses a larger one', sized(MOST_BYTES + 1), 'too_large'],
  ['refuses another format', new Blob(['{"kind":"export"}']), 'other_format'],
  ['refuses an empty file', new Blob([]), 'other_format'],
  ['refuses a part of the first bytes', new Blob([Uint8Array.from(ZSTD.slice(0, 3))]), 'other_format'],
])('%s', async (_, file, fault) => {
  expect(await faultOf(file)).toBe(fault);
});

test('reports a file that the browser cannot read any more', async () => {
  const unreadable = Object.defineProperty(new Blob(['x']), 'slice', {
    value: () => ({ arrayBuffer: () => Promise.reject(new Error('unreadable')) }),
  });
  expect(await faultOf(unreadable)).toBe('unreadable');
});
