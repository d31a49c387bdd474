/** Bytes of the largest file that the server stores. */
export const MOST_BYTES = 64 * 1024 ** 3;
/** First bytes of a frame of Zstandard (RFC 8878). */
const MAGIC = [0x28, 0xb5, 0x2f, 0xfd];

export type FileFault = 'too_large' | 'other_format' | 'unreadable';

/** Returns why a file cannot be imported, before it is sent; null if only the server can know. */
export async function faultOf(file: Blob): Promise<FileFault | null> {
  if (file.size > MOST_BYTES) return 'too_large';
  try {
    const first = new Uint8Array(await file.slice(0, MAGIC.length).arrayBuffer());
    return MAGIC.every((byte, at) => first[at] === byte) ? null : 'other_format';
  } catch {
    // It was moved or changed since it was chosen.
    return 'unreadable';
  }
}
