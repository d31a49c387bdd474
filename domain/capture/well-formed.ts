import { createHash } from 'node:crypto';

/** Single values longer than this are cut in the middle at capture. */
export const VALUE_LIMIT_BYTES = 64 * 1024;

/**
 * Text that PostgreSQL can hold: no NUL (refused by `text`, 22021) and no half of a surrogate pair (refused by `jsonb`, 22P02).
 * Real tool output has both; each becomes U+FFFD.
 */
export function wellFormed(text: string): string {
  const whole = text.isWellFormed() ? text : text.toWellFormed();
  return whole.includes('\u0000') ? whole.replaceAll('\u0000', '\uFFFD') : whole;
}

/** Length in UTF-8 bytes. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** Tokens of a text as capture estimates them: bytes ÷ 4, rounded up. */
export function estimateTokens(text: string): number {
  return Math.ceil(byteLength(text) / 4);
}

/** PostgreSQL's B-tree refuses entries of more than 2,704 bytes, the other columns of the key included. */
const INDEXED_BYTES = 2_048;
const INDEXED_HEAD_CHARS = 128;

/** Parts what is stored as one name of several (a key and its part): no name that comes from outside holds it. */
export const NAME_SEPARATOR = '\u001f';

/**
 * A name that fits into an index: one that is too long becomes its first characters and its SHA-256, so that it still tells itself from
 * others. Holds no separator of names.
 */
export function indexable(name: string): string {
  if (name.includes(NAME_SEPARATOR)) return indexable(name.replaceAll(NAME_SEPARATOR, '\uFFFD'));
  if (byteLength(name) <= INDEXED_BYTES) return name;
  return `${name.slice(0, INDEXED_HEAD_CHARS).toWellFormed()}…sha256:${createHash('sha256').update(name, 'utf8').digest('hex')}`;
}

/**
 * Keeps the head and the tail of a text over the limit and notes its size between them; never cuts a character in half. `sha256` is the
 * hash under which the whole text is kept elsewhere, for the note.
 */
export function cutMiddle(text: string, limitBytes: number = VALUE_LIMIT_BYTES, sha256: string | null = null): string {
  // A UTF-16 unit is at most three bytes: short texts are decided without counting.
  if (text.length * 3 <= limitBytes) return text;
  const bytes = byteLength(text);
  if (bytes <= limitBytes) return text;
  const whole = sha256 === null ? '' : ` (sha256:${sha256})`;
  const note = `\n… ${bytes} bytes in all${whole}, the middle is left out …\n`;
  const half = Math.floor((limitBytes - byteLength(note)) / 2);
  const buffer = Buffer.from(text, 'utf8');
  return `${wholeHead(buffer, half)}${note}${wholeTail(buffer, half)}`;
}

/** True for the second and later bytes of a UTF-8 character. */
function continues(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function wholeHead(buffer: Buffer, bytes: number): string {
  let end = bytes;
  while (end > 0 && continues(buffer[end])) end -= 1;
  return buffer.toString('utf8', 0, end);
}

function wholeTail(buffer: Buffer, bytes: number): string {
  let start = buffer.length - bytes;
  while (start < buffer.length && continues(buffer[start])) start += 1;
  return buffer.toString('utf8', start);
}
