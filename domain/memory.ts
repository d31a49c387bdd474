import type { DataClass } from './data-classes.ts';
import type { MemoryType } from './ports/vector-index.ts';

/** The common shape of search results: an observation, a prompt, a summary or a learning as stored. */
export interface Memory {
  readonly id: string;
  readonly type: MemoryType;
  /** Subtype: an observation's type, a prompt's role, a summary's type or item kind, a learning's category. */
  readonly kind: string;
  readonly title: string;
  readonly content: string;
  readonly tags: readonly string[];
  readonly tool: string | null;
  readonly session: {
    readonly id: string;
    readonly externalId: string;
    readonly host: string;
    readonly title: string | null;
  } | null;
  readonly projectId: string | null;
  readonly projectName: string | null;
  readonly namespace: string;
  readonly userId: string;
  /** Visible to its user and admins only: observations, prompts and private learnings. */
  readonly isPrivate: boolean;
  /** Of a captured row; null for derived memories. */
  readonly dataClass: DataClass | null;
  /** De-duplication key of the captured event; null for derived memories. */
  readonly key: string | null;
  /** Source rows of a derived memory. */
  readonly sources: readonly string[];
  /** 0–1 */
  readonly importance: number;
  /** Decayed positive feedback at the start of the UTC day. */
  readonly useWeight: number;
  readonly occurredAt: string;
  readonly createdAt: string;
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** Returns a memory's hash: eight base32 characters over the last 40 bits of its UUIDv7, which are random. */
export function memoryHash(id: string): string {
  let bits = BigInt(`0x${id.replaceAll('-', '').slice(-10)}`);
  let hash = '';
  for (let place = 0; place < 8; place += 1) {
    hash = (BASE32[Number(bits & 31n)] ?? '') + hash;
    bits >>= 5n;
  }
  return hash;
}

/** Format of a memory's hash. */
export const MEMORY_HASH = /^[a-z2-7]{8}$/;

/** Returns the last ten hexadecimal digits of every id with this hash. The hash must match {@link MEMORY_HASH}. */
export function idEnding(hash: string): string {
  let bits = 0n;
  for (const character of hash) bits = (bits << 5n) | BigInt(BASE32.indexOf(character));
  return bits.toString(16).padStart(10, '0');
}
