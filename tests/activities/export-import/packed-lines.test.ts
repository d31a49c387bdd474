import { zstdCompressSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { packed } from '../../../stores/archive/packed.ts';
import { unpackLines } from '../../../activities/export-import/lines.ts';

const TEXT = Array.from({ length: 20_000 }, (_, n) => `{"table":"prompts","row":{"n":${n}}}\n`).join('');

async function* pieces(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += 1_000) yield bytes.subarray(from, from + 1_000);
}

async function* failing(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield* pieces(bytes);
  throw new Error('the server was killed');
}

async function linesFrom(source: AsyncIterable<Uint8Array>): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of unpackLines(source)) lines.push(line);
  return lines;
}

test('unpacks the packed lines', async () => {
  expect(await linesFrom(packed(pieces(Buffer.from(TEXT))))).toEqual(TEXT.trimEnd().split('\n'));
});

test('reports a changed, truncated or invalid file as damaged', async () => {
  const flipped = Buffer.from(zstdCompressSync(TEXT));
  flipped.writeUInt8(flipped.readUInt8(5) ^ 4, 5);
  const cut = zstdCompressSync(TEXT).subarray(0, -20);
  for (const bytes of [flipped, cut, Buffer.from('no file'), zstdCompressSync(Buffer.from([0x61, 0xff, 0x62]))])
    await expect(linesFrom(pieces(bytes))).rejects.toMatchObject({ name: 'ExportFileError', fault: 'damaged' });
});

test('passes errors of the source on, both ways', async () => {
  await expect(linesFrom(failing(zstdCompressSync(TEXT).subarray(0, 500)))).rejects.toThrow('the server was killed');
  await expect(linesFrom(packed(failing(Buffer.from(TEXT))))).rejects.toThrow('the server was killed');
});
