import { isUtf8 } from 'node:buffer';
import { wellFormed } from '../../domain/capture/well-formed.ts';
import { ApiError, invalid } from '../errors.ts';

/** Values and names in one JSON text. A million empty objects are 3 MB of text and 60 MB of heap. */
export const MAX_JSON_VALUES = 100_000;
/** Capture follows 40 levels; V8 and zod recurse. */
export const MAX_JSON_DEPTH = 512;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
/** Lookup table of the meaning of bytes outside of strings. */
const PLAIN = 0;
const STRING = 1;
const SEPARATOR = 2;
const OPEN = 3;
const CLOSE = 4;
const KINDS = new Uint8Array(256);
KINDS[QUOTE] = STRING;
for (const byte of Buffer.from(',:')) KINDS[byte] = SEPARATOR;
for (const byte of Buffer.from('[{')) KINDS[byte] = OPEN;
for (const byte of Buffer.from(']}')) KINDS[byte] = CLOSE;
/** Escapes that may stand for what PostgreSQL refuses: NUL and halves of surrogate pairs. No other text of valid UTF-8 can. */
const ODD_ESCAPE = /\\u(?:0000|d[89a-f])/i;

/** The place of the quote that ends the string which begins before `from`; beyond the bytes where none does. */
function endOfString(bytes: Uint8Array, from: number): number {
  let at = from;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return at;
}

/**
 * Refuses JSON that a parser would make far too much of, in one pass over the bytes and without memory: the parser itself only fails once
 * everything is made. @throws ApiError VALIDATION_FAILED
 */
export function assertShape(bytes: Uint8Array): void {
  let depth = 0;
  let values = 1;
  for (let at = 0; at < bytes.length; at += 1) {
    const kind = KINDS[bytes[at] ?? 0];
    if (kind === PLAIN) continue;
    if (kind === STRING) {
      at = endOfString(bytes, at + 1);
    } else if (kind === CLOSE) {
      depth -= 1;
    } else {
      values += 1;
      if (kind === OPEN) depth += 1;
      if (depth > MAX_JSON_DEPTH) throw invalid('', `is nested more than ${MAX_JSON_DEPTH} levels deep`, 'the JSON');
      if (values > MAX_JSON_VALUES)
        throw invalid('', `contains more than ${MAX_JSON_VALUES} values and names`, 'the JSON');
    }
  }
}

/** Every string of a parsed value well-formed, names included. Recurses as deep as `MAX_JSON_DEPTH`. */
export function wellFormedJson(value: unknown): unknown {
  if (typeof value === 'string') return wellFormed(value);
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(wellFormedJson);
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [wellFormed(name), wellFormedJson(entry)]));
}

/**
 * Parses JSON that came from outside; its strings hold no NUL and no half of a surrogate pair, each is U+FFFD instead.
 * @throws ApiError INVALID_UTF8, INVALID_JSON, or VALIDATION_FAILED for what is too wide or too deep
 */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new ApiError('INVALID_UTF8', 'the JSON is not valid UTF-8');
  assertShape(bytes);
  const text = bytes.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's message quotes the body; where it is wrong is for the caller to find.
    throw new ApiError('INVALID_JSON', 'the text is not valid JSON');
  }
  return ODD_ESCAPE.test(text) ? wellFormedJson(value) : value;
}
