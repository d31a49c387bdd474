import { createHash } from 'node:crypto';

/** Longer values are cut in the middle at capture. */
export const VALUE_LIMIT_BYTES = 64 * 1024;

/**
 * Returns a text that PostgreSQL can store: no NUL (rejected by `text`, 22021) and no lone surrogate (rejected by `jsonb`, 22P02). Both occur
 * in real tool output; each becomes U+FFFD.
 */
export function wellFormed(text: string): string {
  const full = text.isWellFormed() ? text : text.toWellFormed();
  return full.includes('\u0000') ? full.replaceAll('\u0000', '\uFFFD') : full;
}

/** Length in UTF-8 bytes. */
export function byteLength(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** Estimates the tokens of a text: bytes ÷ 4, rounded up. */
export function estimateTokens(text: string): number {
  return Math.ceil(byteLength(text) / 4);
}

/** PostgreSQL's B-tree rejects entries over 2,704 bytes, the key's other columns included. */
const INDEXED_BYTES = 2_048;
const INDEXED_HEAD_CHARS = 128;

/** Joins several names into one (a key and its part); never occurs in external names. */
export const NAME_SEPARATOR = '\u001f';

/** Returns a name that fits into an index: a longer one becomes its start and its SHA-256, so it stays unique. Removes name separators. */
export function indexable(name: string): string {
  if (name.includes(NAME_SEPARATOR)) return indexable(name.replaceAll(NAME_SEPARATOR, '\uFFFD'));
  if (byteLength(name) <= INDEXED_BYTES) return name;
  return `${name.slice(0, INDEXED_HEAD_CHARS).toWellFormed()}…sha256:${createHash('sha256').update(name, 'utf8').digest('hex')}`;
}

/**
 * Cuts the middle out of a text over the limit and inserts a note with its size; never splits a character. `sha256` is the hash of the
 * stored full value, for the note.
 */
export function cutMiddle(text: string, limitBytes: number = VALUE_LIMIT_BYTES, sha256: string | null = null): string {
  // A UTF-16 unit has at most three bytes: short texts need no counting.
  if (text.length * 3 <= limitBytes) return text;
  const bytes = byteLength(text);
  if (bytes <= limitBytes) return text;
  const full = sha256 === null ? '' : ` (sha256:${sha256})`;
  const note = `\n… ${bytes} bytes in all${full}, the middle is left out …\n`;
  const half = Math.floor((limitBytes - byteLength(note)) / 2);
  const buffer = Buffer.from(text, 'utf8');
  return `${headOf(buffer, half)}${note}${tailOf(buffer, half)}`;
}

/** True for the second and later bytes of a UTF-8 character. */
function continues(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}

function headOf(buffer: Buffer, bytes: number): string {
  let end = bytes;
  while (end > 0 && continues(buffer[end])) end -= 1;
  return buffer.toString('utf8', 0, end);
}

function tailOf(buffer: Buffer, bytes: number): string {
  let start = buffer.length - bytes;
  while (start < buffer.length && continues(buffer[start])) start += 1;
  return buffer.toString('utf8', start);
}

/** Counts the characters of all strings in a value, names included, without serialising it; every other value counts one. */
export function charsIn(value: unknown): number {
  if (typeof value === 'string') return value.length;
  if (value === null || typeof value !== 'object') return 1;
  return Object.entries(value).reduce((sum, [name, entry]) => sum + name.length + charsIn(entry), 0);
}
