import { z } from 'zod';
import { ERASURE_KINDS, MAX_ERASED_ROWS } from '../../domain/erasure/erasure-journal.ts';
import type { JournalEntry } from '../../domain/erasure/erasure-journal.ts';
import { isSigned, signText } from './signed-text.ts';

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
