import { createPieceMerger } from './piece-merger.ts';
import type { PieceMerger } from './piece-merger.ts';
import { loadRankTable } from './rank-table.ts';

/** Longest slice in UTF-16 units that the pattern runs over: limits the regular expression's backtracking and the merger's arrays. */
const SLICE_UNITS = 65_536;

const isWhiteSpace = (unit: number): boolean => /\s/u.test(String.fromCharCode(unit));
export const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff;

/** Returns true where no token can cross: before a space after a visible character, and after a line feed before anything but white space or a slash. */
function isTokenBoundary(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1);
  const after = text.charCodeAt(at);
  if (after === 0x20) return !isWhiteSpace(before);
  return before === 0x0a && after !== 0x2f && !isWhiteSpace(after);
}

/**
 * Returns the end of the slice that starts at `start`: a token boundary in its second half, or the limit in a run without one (minified code,
 * base64, one repeated letter). Only the latter can raise the count, by a few tokens in 65,536 characters.
 */
function endOfSlice(text: string, start: number): number {
  const limit = start + SLICE_UNITS;
  if (limit >= text.length) return text.length;
  for (let at = limit; at > start + SLICE_UNITS / 2; at -= 1) if (isTokenBoundary(text, at)) return at;
  return isHighSurrogate(text.charCodeAt(limit - 1)) ? limit - 1 : limit;
}

/** Calls `visit` with the bounds of each piece in order, until it returns false. */
export function forEachPiece(text: string, pattern: RegExp, visit: (start: number, end: number) => boolean): void {
  for (let from = 0; from < text.length;) {
    const to = endOfSlice(text, from);
    const isComplete = from === 0 && to === text.length;
    const slice = isComplete ? text : text.slice(from, to);
    for (let start = 0; start < slice.length;) {
      pattern.lastIndex = start;
      // Every character matches one of the alternatives, so a miss cannot happen; a step of one unit would terminate even then.
      const end = pattern.test(slice) ? pattern.lastIndex : start + 1;
      if (!visit(from + start, from + end)) return;
      start = end;
    }
    from = to;
  }
}

/** Writes `text[start..end)`, which must be well formed, as UTF-8 into `bytes`; returns the number of bytes (≤ 3 per unit). */
export function writeUtf8(text: string, start: number, end: number, bytes: Uint8Array): number {
  let at = 0;
  for (let i = start; i < end; i += 1) {
    const code = text.codePointAt(i) ?? 0;
    if (code < 0x80) {
      bytes[at++] = code;
    } else if (code < 0x800) {
      bytes[at++] = 0xc0 | (code >> 6);
      bytes[at++] = 0x80 | (code & 0x3f);
    } else if (code < 0x1_0000) {
      bytes[at++] = 0xe0 | (code >> 12);
      bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[at++] = 0x80 | (code & 0x3f);
    } else {
      bytes[at++] = 0xf0 | (code >> 18);
      bytes[at++] = 0x80 | ((code >> 12) & 0x3f);
      bytes[at++] = 0x80 | ((code >> 6) & 0x3f);
      bytes[at++] = 0x80 | (code & 0x3f);
      i += 1;
    }
  }
  return at;
}

/** Counts tokens of the o200k_base encoding, exactly as tiktoken's `encode_ordinary`: special-token text is ordinary text. */
export interface TokenCounter {
  /** Tokens of one text. Lone surrogates count as U+FFFD. */
  readonly count: (text: string) => number;
  readonly countMany: (texts: readonly string[]) => number[];
  /** Returns the longest found prefix of at most `maxTokens`; never splits a character. The text itself if it fits. */
  readonly truncate: (text: string, maxTokens: number) => string;
}

interface Encoding {
  readonly merger: PieceMerger;
  readonly pattern: RegExp;
}

/** One per process, loaded by the first count (about 0.1 s): most processes never count. */
let loaded: Encoding | undefined;
let bytes = new Uint8Array(1_024);
const RETAINED_BYTES = 65_536;

function encoding(): Encoding {
  if (loaded === undefined) {
    const ranks = loadRankTable();
    loaded = { merger: createPieceMerger(ranks), pattern: ranks.pattern };
  }
  return loaded;
}

function countPiece(merger: PieceMerger, text: string, start: number, end: number): number {
  const capacity = 3 * (end - start);
  if (capacity > bytes.length || bytes.length > RETAINED_BYTES) bytes = new Uint8Array(Math.max(capacity, 1_024));
  return merger.count(bytes, writeUtf8(text, start, end, bytes));
}

function count(text: string): number {
  const { merger, pattern } = encoding();
  const formed = text.toWellFormed();
  let tokens = 0;
  forEachPiece(formed, pattern, (start, end) => {
    tokens += countPiece(merger, formed, start, end);
    return true;
  });
  return tokens;
}

/** Returns the UTF-16 length of the characters that are completely within the first `limit` bytes of `text[start..end)`. */
function unitsWithin(text: string, start: number, end: number, limit: number): number {
  const buffer = new Uint8Array(4);
  let at = start;
  for (let used = 0; at < end;) {
    const units = isHighSurrogate(text.charCodeAt(at)) ? 2 : 1;
    used += writeUtf8(text, at, at + units, buffer);
    if (used > limit) break;
    at += units;
  }
  return at - start;
}

/** Returns the position at which the text exceeds `maxTokens`; its length if it does not. */
function cutAt(formed: string, maxTokens: number): number {
  const { merger, pattern } = encoding();
  let cut = formed.length;
  let tokens = 0;
  forEachPiece(formed, pattern, (start, end) => {
    const more = countPiece(merger, formed, start, end);
    if (tokens + more <= maxTokens) {
      tokens += more;
      return true;
    }
    cut = start + unitsWithin(formed, start, end, merger.bytesOfFirst(maxTokens - tokens));
    return false;
  });
  return cut;
}

function truncate(text: string, maxTokens: number): string {
  if (maxTokens <= 0) return '';
  const formed = text.toWellFormed();
  let cut = cutAt(formed, maxTokens);
  if (cut === formed.length) return text;
  // A cut inside a piece may merge differently than the piece did: step back until the count agrees.
  while (cut > 0 && count(formed.slice(0, cut)) > maxTokens) {
    cut -= 1;
    if (isHighSurrogate(formed.charCodeAt(cut - 1))) cut -= 1;
  }
  return text.slice(0, cut);
}

/**
 * Creates a counter over the process's one encoding. The `tiktoken` package's own encoder would cost 77 MB per process; merging over its
 * vocabulary in flat arrays costs about 6 MB, is faster, and is linear for one repeated character. Tests compare it with the package.
 */
export function createTokenCounter(): TokenCounter {
  return { count, countMany: (texts) => texts.map(count), truncate };
}

/** Capture's estimate: a quarter of the UTF-8 bytes, rounded up. Takes the text, or its size in bytes. */
export function estimateTokens(textOrBytes: string | number): number {
  const size = typeof textOrBytes === 'string' ? Buffer.byteLength(textOrBytes) : textOrBytes;
  return Math.ceil(size / 4);
}
