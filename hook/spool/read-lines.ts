import { readSync } from 'node:fs';
import { LINE_BYTES } from './line.ts';

const CHUNK_BYTES = 256 * 1024;
const LINE_BREAK = 0x0a;

export interface RawLine {
  /** Null when it is longer than a line can be. */
  readonly text: string | null;
  /** Byte offset of the next line. */
  readonly endBytes: number;
}

/** Yields the non-empty lines of an open file from a position to its end, one in memory at a time. The last line needs no line break. */
export function* readLines(handle: number, fromBytes: number): Generator<RawLine> {
  let rest: Buffer = Buffer.alloc(0);
  let restAt = fromBytes;
  let tooLong = false;
  for (;;) {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    const read = readSync(handle, chunk, 0, CHUNK_BYTES, restAt + rest.length);
    const bytes = rest.length === 0 ? chunk.subarray(0, read) : Buffer.concat([rest, chunk.subarray(0, read)]);
    let from = 0;
    for (let end = bytes.indexOf(LINE_BREAK); end !== -1; end = bytes.indexOf(LINE_BREAK, from)) {
      if (tooLong || end > from)
        yield { text: tooLong ? null : bytes.toString('utf8', from, end), endBytes: restAt + end + 1 };
      tooLong = false;
      from = end + 1;
    }
    restAt += from;
    rest = bytes.subarray(from);
    if (read === 0) {
      if (tooLong || rest.length > 0)
        yield { text: tooLong ? null : rest.toString('utf8'), endBytes: restAt + rest.length };
      return;
    }
    if (rest.length > LINE_BYTES * 2) {
      tooLong = true;
      restAt += rest.length;
      rest = Buffer.alloc(0);
    }
  }
}
