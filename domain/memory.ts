import type { MemoryType } from './ports/vector-index.ts';

/** Anything that search returns, in one shape: an observation, a prompt, a summary or a learning as it is stored. */
export interface Memory {
  readonly id: string;
  readonly type: MemoryType;
  /** Finer than the type: of an observation its type, of a prompt who spoke, of a summary its type or its item kind, of a learning its category. */
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
  /** Whose it is: private for observations and prompts, of the whole tenant otherwise. */
  readonly userId: string;
  /** De-duplication key of the event that brought it; null for what was derived. */
  readonly key: string | null;
  /** Rows that a derived memory came from. */
  readonly sources: readonly string[];
  /** 0–1 */
  readonly importance: number;
  /** Decayed use that proved useful, as it stood when the UTC day began. */
  readonly useWeight: number;
  readonly occurredAt: string;
  readonly createdAt: string;
}

const BASE32 = 'abcdefghijklmnopqrstuvwxyz234567';

/** The short name of a memory: eight base32 characters over the last 40 bits of its UUIDv7, which are random. */
export function memoryHash(id: string): string {
  let bits = BigInt(`0x${id.replaceAll('-', '').slice(-10)}`);
  let hash = '';
  for (let place = 0; place < 8; place += 1) {
    hash = (BASE32[Number(bits & 31n)] ?? '') + hash;
    bits >>= 5n;
  }
  return hash;
}

/** What the short name of a memory looks like. */
export const MEMORY_HASH = /^[a-z2-7]{8}$/;

/** The last ten hexadecimal digits of every id that bears this short name. The hash must match {@link MEMORY_HASH}. */
export function idEnding(hash: string): string {
  let bits = 0n;
  for (const character of hash) bits = (bits << 5n) | BigInt(BASE32.indexOf(character));
  return bits.toString(16).padStart(10, '0');
}

/** True for memories that only their owner and admins may see. */
export function isPrivate(type: MemoryType): boolean {
  return type === 'observation' || type === 'prompt';
}
