import { z } from 'zod';
import { ERASURE_KINDS, MAX_ERASED_ROWS } from '../../domain/erasure/erasure-journal.ts';
import type { JournalEntry } from '../../domain/erasure/erasure-journal.ts';
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** A text with who vouches for every byte of it. */
interface SignedText {
  readonly text: string;
  /** SPKI, base64. */
  readonly publicKey: string;
  /** Ed25519, base64. */
  readonly signature: string;
}

/** SPKI, base64: as in manifests and in settings. */
function publicKeyText(key: KeyObject): string {
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).toString('base64');
}

function privateKeyOf(signingKey: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.from(signingKey), format: 'der', type: 'pkcs8' });
}

/** Returns the public half of a signing key (PKCS #8 DER), as SPKI in base64. @throws Error for an invalid key */
export function publicKeyOf(signingKey: Uint8Array): string {
  return publicKeyText(privateKeyOf(signingKey));
}

/** Signs the exact bytes of a text with an Ed25519 key (PKCS #8 DER). @throws Error for an invalid key */
export function signText(text: string, signingKey: Uint8Array): SignedText {
  const key = privateKeyOf(signingKey);
  return { text, publicKey: publicKeyText(key), signature: sign(null, Buffer.from(text), key).toString('base64') };
}

/** Returns true if the signature of the text is valid for the given key; trust is checked elsewhere. */
export function isSigned({ text, publicKey, signature }: SignedText): boolean {
  try {
    const key = createPublicKey({ key: Buffer.from(publicKey, 'base64'), format: 'der', type: 'spki' });
    return (
      key.asymmetricKeyType === 'ed25519' && verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64'))
    );
  } catch {
    // A key that is none signs nothing.
    return false;
  }
}

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);

const entrySchema = z.strictObject({
  version: z.literal(1),
  journal: z.uuid(),
  sequence: z.int().positive(),
  previous: sha256.nullable(),
  at: z.iso.datetime(),
  record: z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('opened') }),
    z.strictObject({ kind: z.literal('withdrawn'), erasure_id: z.uuid() }),
    z.strictObject({
      kind: z.enum(ERASURE_KINDS),
      erasure_id: z.uuid(),
      tenant_id: z.uuid(),
      names: z.array(sha256).max(MAX_ERASED_ROWS),
    }),
  ]),
});

const objectSchema = z.strictObject({
  entry: z.string(),
  publicKey: z.string().max(200),
  signature: z.string().max(200),
});

/** Ten thousand names, the other fields and the signature. */
export const MAX_JOURNAL_OBJECT_BYTES = 2 * 1024 * 1024;

/** An entry as stored. */
export interface StoredEntry {
  readonly entry: JournalEntry;
  /** The text that was signed, by which the next entry names this one. */
  readonly text: string;
  /** The key with the valid signature: SPKI, base64. The caller decides whether it is trusted. */
  readonly publicKey: string;
}

/** Returns the text of an entry and its object, signed with a PKCS #8 DER key of Ed25519. @throws ZodError for an invalid entry */
export function journalObject(
  entry: JournalEntry,
  signingKey: Uint8Array,
): { readonly text: string; readonly object: string } {
  const { text, publicKey, signature } = signText(JSON.stringify(entrySchema.parse(entry)), signingKey);
  return { text, object: JSON.stringify({ entry: text, publicKey, signature }) };
}

/** Reads a journal object. Returns `unsigned` without a valid signature, `unreadable` for an incomplete object or one of a newer version. */
export function readJournalObject(bytes: Uint8Array): StoredEntry | 'unsigned' | 'unreadable' {
  let content: unknown;
  try {
    content = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return 'unreadable';
  }
  const object = objectSchema.safeParse(content);
  if (!object.success) return entrySchema.safeParse(content).success || isBare(content) ? 'unsigned' : 'unreadable';
  const { entry: text, publicKey, signature } = object.data;
  if (!isSigned({ text, publicKey, signature })) return 'unsigned';
  try {
    return { entry: entrySchema.parse(JSON.parse(text)), text, publicKey };
  } catch {
    return 'unreadable';
  }
}

const bareSchema = z.looseObject({ kind: z.string(), tenant_id: z.string(), names: z.array(z.unknown()) });

/** Returns true for an entry without a signature. */
function isBare(content: unknown): boolean {
  return bareSchema.safeParse(content).success;
}
