import { createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';

/** Where it was looked after erasing, how, and what was left. */
export interface ErasureCheck {
  readonly where: 'database' | 'vector index' | 'archive store' | 'full values';
  /** In words. */
  readonly how: string;
  readonly looked_at: number;
  readonly left: number;
  /** RFC 3339. */
  readonly at: string;
}

/** What proves an erasure: amounts and hashes, nothing of what was erased. */
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
  /** Entries by which a restore of an older backup erases it again, and in how many stores they lie. */
  readonly journal: { readonly entries: readonly string[]; readonly stores: number };
}

/** A receipt with the hash of its exact text, signed where the instance has a key to sign with. */
export interface SignedReceipt {
  readonly receipt: string;
  readonly sha256: string;
  /** SPKI, base64; null where it is not signed. */
  readonly public_key: string | null;
  /** Ed25519 over the hash's bytes, base64. */
  readonly signature: string | null;
}

/** Puts a receipt under its hash, and signs that with a PKCS #8 DER key of Ed25519 where there is one. */
export function signReceipt(receipt: ErasureReceipt, signingKey: Uint8Array | null): SignedReceipt {
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

/** Where a receipt lies beside the journal. */
export function receiptKey(erasureId: string): string {
  return `receipts/${erasureId}.json`;
}
