import { EVENT_BYTES } from '../http/body.ts';

const LINE_FEED = 0x0a;

/** Splits bytes into lines in bounded memory: a line over the limit comes as null, its rest unread into memory. */
export class LineSplitter {
  private parts: Buffer[] = [];
  private size = 0;

  /** The lines that end in this chunk. */
  *push(chunk: Buffer): Generator<Buffer | null> {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      this.add(chunk.subarray(start, end));
      yield this.take();
      start = end + 1;
    }
    if (start < chunk.length) this.add(chunk.subarray(start));
  }

  /** Returns the bytes after the last line feed; undefined if none. */
  rest(): Buffer | null | undefined {
    return this.size === 0 ? undefined : this.take();
  }

  private add(piece: Buffer): void {
    this.size += piece.length;
    if (this.size > EVENT_BYTES) this.parts = [];
    else this.parts.push(piece);
  }

  private take(): Buffer | null {
    const [only = Buffer.alloc(0)] = this.parts;
    const line = this.size > EVENT_BYTES ? null : this.parts.length > 1 ? Buffer.concat(this.parts) : only;
    this.parts = [];
    this.size = 0;
    return line;
  }
}
