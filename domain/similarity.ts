import { createHash } from 'node:crypto';
import type { SourceRow } from './ports/model.ts';

/** Numbers of a signature. The estimate's standard error is at most 4.5 %, and 1.5 % at 97 % similarity. */
export const SIGNATURE_NUMBERS = 128;
/** Two requests meet if all eight numbers of one of sixteen bands are equal: at 97 % nearly always, at 80 % mostly, at 50 % one in sixteen. */
const BANDS = 16;
const BAND_NUMBERS = SIGNATURE_NUMBERS / BANDS;
/** Words of a shingle. */
const SHINGLE = 3;

/** Values that differ between runs of the same work: times, durations, temporary files, ids. */
const VOLATILE: readonly (readonly [RegExp, string])[] = [
  [/\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?/gu, '<time>'],
  [/\b\d{1,2}:\d\d(?::\d\d(?:[.,]\d+)?)?(?:\s?[AP]M)?\b/gu, '<time>'],
  [
    /\b\d+(?:[.,]\d+)?\s?(?:ns|µs|us|ms|s|sec|secs|seconds?|m|min|mins|minutes?|h|hours?)(?![\p{L}\p{N}_])/giu,
    '<duration>',
  ],
  [/(?:\/(?:private\/)?(?:var\/)?tmp|\/var\/folders|%TEMP%|\\Temp)[/\\][^\s'"`:,;)\]]+/giu, '<temp>'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/giu, '<id>'],
  [/\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,64}\b/giu, '<id>'],
  [/0x[0-9a-f]{4,16}\b/giu, '<id>'],
  [/(?<=\bpid[ =:]{1,3})\d+\b/giu, '<id>'],
];

/** Replaces times, durations, temporary names and ids with their type, so that two runs of the same work are equal. */
export function withoutVolatile(text: string): string {
  let plain = text;
  for (const [pattern, name] of VOLATILE) plain = plain.replace(pattern, name);
  return plain;
}

const WORD = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]|[\p{L}\p{N}_]+|[^\s\p{L}\p{N}_]/gu;

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(WORD) ?? [];
}

/** FNV-1a over UTF-16 units, mixed at the end so that the high bits depend on all of them. */
function hash32(text: string, seed = 0x81_1c_9d_c5): number {
  let hash = seed;
  for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01_00_01_93);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85_eb_ca_6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2_b2_ae_35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Odd factors and offsets of the permutations; constant in every process and version, because signatures are stored. */
const FACTORS = Uint32Array.from({ length: SIGNATURE_NUMBERS }, (_, n) => hash32(`factor ${n}`) | 1);
const OFFSETS = Uint32Array.from({ length: SIGNATURE_NUMBERS }, (_, n) => hash32(`offset ${n}`));

/** MinHash of a text's word triples without volatile values: 128 numbers of 32 bits. About 4 ms for 6,000 words. */
export function signatureOf(text: string): Uint32Array {
  const words = wordsOf(withoutVolatile(text));
  const shingles = new Set<number>();
  for (let at = 0; at < Math.max(1, words.length - SHINGLE + 1); at += 1)
    shingles.add(hash32(words.slice(at, at + SHINGLE).join(' ')));
  const signature = new Uint32Array(SIGNATURE_NUMBERS).fill(0xff_ff_ff_ff);
  for (const shingle of shingles)
    for (let n = 0; n < SIGNATURE_NUMBERS; n += 1) {
      let value = Math.imul(shingle, FACTORS[n] ?? 1) + (OFFSETS[n] ?? 0);
      value = Math.imul(value ^ (value >>> 15), 0x2c_1b_3c_6d);
      value = (value ^ (value >>> 13)) >>> 0;
      if (value < (signature[n] ?? 0)) signature[n] = value;
    }
  return signature;
}

/** Estimates the Jaccard similarity of two texts' word triples, 0–1. */
export function estimatedSimilarity(one: Uint32Array, other: Uint32Array): number {
  let same = 0;
  for (let n = 0; n < SIGNATURE_NUMBERS; n += 1) if (one[n] === other[n]) same += 1;
  return same / SIGNATURE_NUMBERS;
}

/** Returns a signed 64-bit key per band, by which similar requests of one `kind` meet. */
export function bandKeys(signature: Uint32Array, kind: string): bigint[] {
  return Array.from({ length: BANDS }, (_, band) =>
    createHash('sha256')
      .update(`${kind}\u001f${band}\u001f${signature.slice(band * BAND_NUMBERS, (band + 1) * BAND_NUMBERS).join(',')}`)
      .digest()
      .readBigInt64LE(0),
  );
}

/** Returns the signature in stored form, little-endian. */
export function signatureBytes(signature: Uint32Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(SIGNATURE_NUMBERS * 4);
  const view = new DataView(bytes.buffer);
  signature.forEach((value, n) => view.setUint32(n * 4, value, true));
  return bytes;
}

/** Inverse of {@link signatureBytes}. */
export function signatureFrom(bytes: Uint8Array): Uint32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Uint32Array.from({ length: SIGNATURE_NUMBERS }, (_, n) => view.getUint32(n * 4, true));
}

/** Counts the distinct words of a response that its request lacks. A higher count for another request shows content that is not there. */
export function novelWords(answer: string, question: string): number {
  const known = new Set(wordsOf(question));
  return new Set(wordsOf(answer).filter((word) => !known.has(word))).size;
}

/** Words of an outcome. */
const OUTCOME =
  /\b(?:pass(?:ed|es|ing)?|fail(?:ed|s|ing|ure|ures)?|errors?|ok|not ok|success(?:ful|fully)?|exit(?:ed)?(?: code| status)?|panic(?:ked)?|denied|refused|abort(?:ed)?|timed? ?out|warnings?|exception|traceback|assert\w*|expected|received|found|missing|cannot|can't|undefined)\b|[✓✔✗✘✕×]|失败|成功|通过|错误|异常/iu;
/** Numbers, paths and dotted names, which a summary mentions. */
const SALIENT = /[\p{L}\p{N}_./\\-]*(?:\d|[\p{L}\p{N}_][./\\][\p{L}\p{N}_])[\p{L}\p{N}_./\\-]*/gu;

/**
 * Returns what two windows must have in common exactly to share a response: the kinds of their rows in order, prompts, written content,
 * touched files, outcome lines, and all numbers and file names. Ignores times, durations, temporary names and ids. SHA-256, hex.
 */
export function shapeOf(rows: readonly SourceRow[]): string {
  const hash = createHash('sha256');
  for (const row of rows) {
    // Times and durations in prompts and written files are significant.
    const exact = row.type === 'user' || row.filesModified.length > 0;
    const plain = exact ? row.content : withoutVolatile(row.content);
    const complete = exact || row.role === 'prompt';
    const significant = complete ? [plain] : plain.split('\n').filter((line) => OUTCOME.test(line));
    const parts = [
      row.role,
      row.type,
      row.tool,
      withoutVolatile(row.title),
      row.filesRead.map(withoutVolatile),
      row.filesModified.map(withoutVolatile),
      significant,
      complete ? [] : (plain.match(SALIENT) ?? []),
    ];
    hash.update(`${JSON.stringify(parts)}\n`);
  }
  return hash.digest('hex');
}
