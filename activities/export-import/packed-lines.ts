import { z } from 'zod';
import { isPackDamage, unpacked } from '../../stores/archive/packed.ts';
import { linesOf, ExportFileError } from './lines.ts';

/** Bytes that are no text: another attempt would read the same. */
function isNoText(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_ENCODING_INVALID_ENCODED_DATA';
}

/** Pieces of bytes as text, whatever they are cut at. */
async function* asText(bytes: AsyncIterable<unknown>): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for await (const piece of bytes) yield decoder.decode(z.instanceof(Uint8Array).parse(piece), { stream: true });
  yield decoder.decode();
}

/** The lines of a compressed file. @throws ExportFileError damaged, where it cannot be decompressed; errors of the source as they are */
export async function* unpackLines(file: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  try {
    yield* linesOf(asText(unpacked(file)));
  } catch (error) {
    throw isPackDamage(error) || isNoText(error)
      ? new ExportFileError('damaged', 'the file is not what was compressed')
      : error;
  }
}
