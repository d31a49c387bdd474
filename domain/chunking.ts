import { createHash } from 'node:crypto';

/** About 250 tokens: well inside the embedder's 512, and small enough that one fact is not averaged away. */
const CHUNK_CHARS = 1_000;
/** A sentence cut by a chunk's end is whole in the next one. */
const OVERLAP_CHARS = 150;
/** Of a longer text the head and the tail are indexed: what a command was asked, and how it ended. */
const HEAD_CHUNKS = 12;
const TAIL_CHUNKS = 4;

export interface TextChunk {
  /** Place of the chunk in its memory, from 0. */
  readonly n: number;
  readonly text: string;
  /** SHA-256 over title and text: says whether a vector is still that of this text. */
  readonly contentHash: Buffer;
}

/** A place to cut at or before `end`: after a line, a sentence or a word, where one lies in the last third. */
function cutAt(text: string, start: number, end: number): number {
  if (end >= text.length) return text.length;
  const earliest = start + Math.floor((CHUNK_CHARS * 2) / 3);
  // Looked for in that third alone: in a text without marks each search would go back to its beginning.
  const third = text.slice(earliest, end);
  for (const mark of ['\n', '. ', ' ']) {
    const at = third.lastIndexOf(mark);
    if (at >= 0) return earliest + at + mark.length;
  }
  // Never between the halves of a surrogate pair.
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
 * Cuts a memory's text into overlapping chunks, the same ones every time. A blank text has none: there is nothing to find.
 * Of very long texts the middle is left out of the vector index; PostgreSQL's keyword search covers all of it.
 */
export function chunkText(title: string, content: string): TextChunk[] {
  const text = content.trim() === '' ? title.trim() : content.trim();
  if (text === '') return [];
  const pieces: string[] = [];
  let start = 0;
  while (start < text.length) {
    const end = cutAt(text, start, start + CHUNK_CHARS);
    pieces.push(text.slice(start, end).toWellFormed());
    if (end >= text.length) break;
    start = wordStart(text, Math.max(start + 1, end - OVERLAP_CHARS));
  }
  const kept =
    pieces.length <= HEAD_CHUNKS + TAIL_CHUNKS
      ? pieces
      : [...pieces.slice(0, HEAD_CHUNKS), ...pieces.slice(-TAIL_CHUNKS)];
  return kept.map((piece, n) => ({
    n,
    text: piece,
    contentHash: createHash('sha256').update(`${title}\u0000${piece}`, 'utf8').digest(),
  }));
}
