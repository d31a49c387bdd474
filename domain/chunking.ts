import { createHash } from 'node:crypto';

/** About 250 tokens: below the embedder's 512, and small enough that a single fact is not averaged out. */
const CHUNK_CHARS = 1_000;
/** A sentence cut at a chunk's end is complete in the next chunk. */
const OVERLAP_CHARS = 150;
/** Only head and tail of a longer text are indexed: a command's input and its outcome. */
const HEAD_CHUNKS = 12;
const TAIL_CHUNKS = 4;
/** Texts that are no memory: without a letter or digit, and what Claude Code notifies a user of. */
const NO_MEMORY =
  /^(?:[^\p{L}\p{N}]*|Claude (?:Code )?(?:is waiting for your input|needs your (?:attention|permission|approval for the plan|permission to use [\w.:-]+)))$/u;

export interface TextChunk {
  /** Position of the chunk in its memory, from 0. */
  readonly n: number;
  readonly text: string;
  /** SHA-256 over title and text: detects a vector of an older text. */
  readonly contentHash: Buffer;
}

/** Returns a cut position at or before `end`: after a line, a sentence or a word in the last third. */
function cutAt(text: string, start: number, end: number): number {
  if (end >= text.length) return text.length;
  const earliest = start + Math.floor((CHUNK_CHARS * 2) / 3);
  // Searched in that third only: in a text without breaks each search would return to the start.
  const third = text.slice(earliest, end);
  for (const mark of ['\n', '. ', ' ']) {
    const at = third.lastIndexOf(mark);
    if (at >= 0) return earliest + at + mark.length;
  }
  // Never inside a surrogate pair.
  const unit = text.charCodeAt(end - 1);
  return unit >= 0xd800 && unit <= 0xdbff ? end - 1 : end;
}

function wordStart(text: string, from: number): number {
  const space = text.slice(from, from + OVERLAP_CHARS / 2).indexOf(' ');
  if (space >= 0) return from + space + 1;
  const unit = text.charCodeAt(from);
  return unit >= 0xdc00 && unit <= 0xdfff ? from + 1 : from;
}

/**
 * Cuts a memory's text into overlapping chunks, deterministically. A text that is no memory has none. The middle of very long texts is not in the
 * vector index; PostgreSQL's keyword search covers all of it.
 */
export function chunkText(title: string, content: string): TextChunk[] {
  const text = content.trim() === '' ? title.trim() : content.trim();
  if (NO_MEMORY.test(text)) return [];
  const pieces: string[] = [];
  let start = 0;
  while (start < text.length) {
    const end = cutAt(text, start, start + CHUNK_CHARS);
    pieces.push(text.slice(start, end).toWellFormed());
    if (end >= text.length) break;
    start = wordStart(text, Math.max(start + 1, end - OVERLAP_CHARS));
  }
  const chosen =
    pieces.length <= HEAD_CHUNKS + TAIL_CHUNKS
      ? pieces
      : [...pieces.slice(0, HEAD_CHUNKS), ...pieces.slice(-TAIL_CHUNKS)];
  return chosen.map((piece, n) => ({
    n,
    text: piece,
    contentHash: createHash('sha256').update(`${title}\u0000${piece}`, 'utf8').digest(),
  }));
}
