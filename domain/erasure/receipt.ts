import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { RequestReceipt } from './gdpr-request.ts';

/** A check after an erasure: where, how, and the number of remaining copies. */
export interface ErasureCheck {
  readonly where: 'database' | 'vector index' | 'archive store' | 'full values';
  /** In words. */
  readonly how: string;
  readonly looked_at: number;
  readonly left: number;
  /** RFC 3339. */
  readonly at: string;
}

/** Proof of an erasure: counts and hashes, nothing of the erased content. */
export interface ErasureReceipt {
  readonly version: 1;
  readonly id: string;
  readonly kind: string;
  /** `erasedName` of the session, the user or the tenant; null for a text, whose hash could be guessed. */
  readonly name: string | null;
  readonly requested_at: string;
  readonly finished_at: string;
  readonly removed: Readonly<Record<string, number>>;
  readonly checks: readonly ErasureCheck[];
  /** Entries by which a restore of an older backup repeats the erasure, and the number of stores with them. */
  readonly journal: { readonly entries: readonly string[]; readonly stores: number };
}

/** A receipt with the hash of its exact text, signed if the instance has a signing key. */
export interface SignedReceipt {
  readonly receipt: string;
  readonly sha256: string;
  /** SPKI, base64; null if not signed. */
  readonly public_key: string | null;
  /** Ed25519 over the hash's bytes, base64. */
  readonly signature: string | null;
}

/** Hashes a receipt and signs the hash with a PKCS #8 DER Ed25519 key, if any. */
export function signReceipt(receipt: ErasureReceipt | RequestReceipt, signingKey: Uint8Array | null): SignedReceipt {
  const text = JSON.stringify(receipt);
  const digest = createHash('sha256').update(text, 'utf8').digest();
  if (signingKey === null) return { receipt: text, sha256: digest.toString('hex'), public_key: null, signature: null };
  const key = createPrivateKey({ key: Buffer.from(signingKey), format: 'der', type: 'pkcs8' });
  return {
    receipt: text,
    sha256: digest.toString('hex'),
    public_key: createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64'),
    signature: sign(null, digest, key).toString('base64'),
  };
}

/** Returns true if the hash is of the text, and the signature of the hash by the key in the receipt. */
export function isReceiptValid({ receipt, sha256, public_key: spki, signature }: SignedReceipt): boolean {
  const digest = createHash('sha256').update(receipt, 'utf8').digest();
  if (digest.toString('hex') !== sha256 || spki === null || signature === null) return false;
  try {
    const key = createPublicKey({ key: Buffer.from(spki, 'base64'), format: 'der', type: 'spki' });
    return key.asymmetricKeyType === 'ed25519' && verify(null, digest, key, Buffer.from(signature, 'base64'));
  } catch (error) {
    // A text that is no key.
    if (error instanceof Error) return false;
    throw error;
  }
}

/** Key of a receipt beside the journal. */
export function receiptKey(erasureId: string): string {
  return `receipts/${erasureId}.json`;
}
