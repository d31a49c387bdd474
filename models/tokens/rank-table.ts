import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { z } from 'zod';

/** Result of `rankOf` for bytes that are no token. Greater than every rank, so that it also sorts last. */
export const NO_RANK = 0x7fff_ffff;

/** The vocabulary of one encoding: its tokens, and the pattern that splits text into pieces. */
export interface RankTable {
  /** Returns the rank (= id) of the token `bytes[start..end)`, or NO_RANK. Lower ranks merge first. */
  rankOf(bytes: Uint8Array, start: number, end: number): number;
  /** Splits text into pieces that no token crosses. Sticky: set `lastIndex`, call `test`, read `lastIndex`. */
  readonly pattern: RegExp;
}

/** The list starts with the rank of its first word; every later word has the next one. */
const LIST_START = '! 0 ';
const encoderFile = z.object({ pat_str: z.string().min(1), bpe_ranks: z.string().startsWith(LIST_START) });

/** Slots for 200,000 tokens at 38 % load: a miss costs about one extra probe. */
const SLOT_BITS = 19;
const SLOT_MASK = (1 << SLOT_BITS) - 1;

function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c_9dc5;
  for (let i = start; i < end; i += 1) hash = Math.imul(hash ^ (bytes[i] ?? 0), 0x0100_0193);
  // FNV's low bits are weak for short strings: fold the high ones in.
  return (hash ^ (hash >>> 15)) & SLOT_MASK;
}

/** Translates the pattern from Rust's regex to JavaScript. Only white space differs: Rust's is Unicode's class, JavaScript's has U+FEFF and lacks U+0085. */
function patternOf(source: string): RegExp {
  const own = source
    .replaceAll(String.raw`\S`, String.raw`\P{White_Space}`)
    .replaceAll(String.raw`\s`, String.raw`\p{White_Space}`);
  return new RegExp(own, 'uy');
}

/** Value of each base64 digit by character code; 255 for other characters, padding included. */
const BASE64_VALUES = Uint8Array.from({ length: 128 }, (_, code) => {
  const value = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'.indexOf(String.fromCharCode(code));
  return value === -1 ? 255 : value;
});

const SPACE = 0x20;

/**
 * Decodes base64 words separated by single spaces into one run of bytes and the offsets of the words (and of the last end). By hand and in
 * place, because 200,000 short strings would leave the heap 20 MB larger than the result.
 */
function decodeWords(list: Uint8Array): { bytes: Uint8Array; offsets: Uint32Array } {
  // Decoded bytes are shorter, so they can overwrite the list. A word has at least four digits and a space.
  const bytes = list;
  const offsets = new Uint32Array(Math.ceil(list.length / 5) + 2);
  let words = 0;
  let written = 0;
  let bits = 0;
  let pending = 0;
  for (const code of list) {
    if (code === SPACE) {
      words += 1;
      offsets[words] = written;
      pending = 0;
      continue;
    }
    const value = BASE64_VALUES[code] ?? 255;
    if (value === 255) continue;
    bits = ((bits << 6) | value) & 0xffff;
    pending += 6;
    if (pending < 8) continue;
    pending -= 8;
    bytes[written++] = (bits >> pending) & 0xff;
  }
  offsets[words + 1] = written;
  return { bytes: bytes.slice(0, written), offsets: offsets.slice(0, words + 2) };
}

/**
 * Reads the o200k_base vocabulary of the `tiktoken` package into flat arrays.
 * @throws Error if the file has another format
 */
export function loadRankTable(): RankTable {
  const path = createRequire(import.meta.url).resolve('tiktoken/encoders/o200k_base.json');
  const file = encoderFile.parse(JSON.parse(readFileSync(path, 'utf8')));
  const { bytes, offsets } = decodeWords(Buffer.from(file.bpe_ranks.slice(LIST_START.length), 'latin1'));
  return { rankOf: finder(bytes, offsets), pattern: patternOf(file.pat_str) };
}

/** Open addressing over token ids: slots contain id + 1, 0 is free. */
function finder(tokens: Uint8Array, offsets: Uint32Array): RankTable['rankOf'] {
  const slots = new Int32Array(SLOT_MASK + 1);
  let longest = 0;
  for (let id = 0; id + 1 < offsets.length; id += 1) {
    const start = offsets[id] ?? 0;
    const end = offsets[id + 1] ?? 0;
    longest = Math.max(longest, end - start);
    let slot = hashOf(tokens, start, end);
    while (slots[slot] !== 0) slot = (slot + 1) & SLOT_MASK;
    slots[slot] = id + 1;
  }

  return (bytes, start, end) => {
    const length = end - start;
    if (length > longest) return NO_RANK;
    for (let slot = hashOf(bytes, start, end); ; slot = (slot + 1) & SLOT_MASK) {
      const id = (slots[slot] ?? 0) - 1;
      if (id < 0) return NO_RANK;
      const from = offsets[id] ?? 0;
      if ((offsets[id + 1] ?? 0) - from !== length) continue;
      let same = 0;
      while (same < length && tokens[from + same] === bytes[start + same]) same += 1;
      if (same === length) return id;
    }
  };
}
