import { createPieceMerger, type PieceMerger } from './piece-merger.ts';
import { loadRankTable } from './rank-table.ts';
import { forEachPiece, isHighSurrogate, writeUtf8 } from './text-pieces.ts';

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
const KEPT_BYTES = 65_536;

function encoding(): Encoding {
  if (loaded === undefined) {
    const ranks = loadRankTable();
    loaded = { merger: createPieceMerger(ranks), pattern: ranks.pattern };
  }
  return loaded;
}

function countPiece(merger: PieceMerger, text: string, start: number, end: number): number {
  const room = 3 * (end - start);
  if (room > bytes.length || bytes.length > KEPT_BYTES) bytes = new Uint8Array(Math.max(room, 1_024));
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
  const room = new Uint8Array(4);
  let at = start;
  for (let used = 0; at < end;) {
    const units = isHighSurrogate(text.charCodeAt(at)) ? 2 : 1;
    used += writeUtf8(text, at, at + units, room);
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
