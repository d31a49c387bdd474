import { createHash } from 'node:crypto';
import { z } from 'zod';
import { BackupSetError } from '../../domain/backup/sets.ts';
import { isSigned, signText } from '../../stores/archive/journal-entry.ts';

/**
 * The format of backups that this version writes. Formats 1, whose files had bounds of `id` alone, 2, without the journal's head, and 3, without
 * the heads of the audit log, are read as well.
 */
export const SET_FORMAT = 4;

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
const count = z.int().nonnegative();

const fileSchema = z.strictObject({
  /** Relative to the backup's folder. */
  key: z.string().min(1).max(400),
  /** As stored: compressed, and encrypted if configured. */
  bytes: count,
  sha256,
  /** Before compression. */
  plainBytes: count,
  plainSha256: sha256,
  /** Rows or objects in it. */
  rows: count,
});

const tableSchema = z.strictObject({
  name: z.string().regex(/^[a-z_]{1,63}$/),
  columns: z.array(z.string().regex(/^[a-z0-9_]{1,63}$/)).min(1),
  /** Order of the rows in each file. */
  orderBy: z.tuple([z.string()], z.string()),
  rows: count,
  files: z.array(
    fileSchema.extend({
      /** Range of its rows: `lowest` <= first column of `orderBy` < `above`; null if open. Bounds of months are not UUIDs of any version. */
      lowest: z.guid().nullable(),
      above: z.guid().nullable(),
    }),
  ),
});

const vectorsSchema = z.strictObject({
  tenantId: z.guid(),
  /** The index's name in the ledger (`embeddings.model`). */
  index: z.string().min(1).max(200),
  dimension: z.int().positive(),
  objects: count,
  /** Objects that the snapshot's ledger lists as indexed and the files lack: embedded again after a restore. */
  left: count,
  files: z.array(fileSchema),
});

/** A query of the backup and its results, repeated after a restore. */
const fixedQuerySchema = z.strictObject({
  tenantId: z.guid(),
  /** Sealed where the backup is encrypted: `sealQueries`. */
  words: z.string().min(1).max(2_000),
  /** Memory ids, best first. */
  found: z.array(z.guid()).max(50),
});

/** The manifest of a backup. It is written last: without it the backup is incomplete. */
export const manifestSchema = z.strictObject({
  format: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(SET_FORMAT)]),
  id: z.uuid(),
  /** When the snapshot was taken. */
  snapshotAt: z.iso.datetime({ offset: true }),
  finishedAt: z.iso.datetime({ offset: true }),
  recollectVersion: z.string().max(100),
  /** Names of the migrations that its schema is made of, in order. */
  migrations: z.array(z.string().max(200)).min(1),
  /** SHA-256 over the functions that answered its queries. Null: written before it was recorded. */
  functions: sha256.nullable().default(null),
  postgresVersion: z.string().max(100),
  compression: z.literal('zstd'),
  encryption: z
    .strictObject({ algorithm: z.literal('aes-256-gcm'), keyId: z.string().regex(/^[0-9a-f]{16}$/) })
    .nullable(),
  tables: z.array(tableSchema),
  vectors: z.array(vectorsSchema),
  queries: z.array(fixedQuerySchema).max(200),
  /** Head of the erasure journal stored beside the backups, so that missing entries are noticed. Null: no journal. */
  journal: z.strictObject({ journal: z.guid(), entries: z.int().positive(), last: sha256 }).nullable().default(null),
  /** The last row of each tenant's audit log: anchors, which the database cannot change. */
  audit: z.array(z.strictObject({ tenantId: z.guid(), seq: z.int().positive(), hash: sha256 })).default([]),
});
export type Manifest = z.output<typeof manifestSchema>;
export type ManifestTable = Manifest['tables'][number];
export type ManifestVectors = Manifest['vectors'][number];
export type ManifestFile = z.output<typeof fileSchema>;

/** The manifest as text with an Ed25519 signature over exactly these bytes. */
export const signedManifestSchema = z.strictObject({
  manifest: z.string(),
  /** SPKI, base64. */
  publicKey: z.string().max(200),
  /** Base64. */
  signature: z.string().max(200),
});

export { publicKeyOf } from '../../stores/archive/journal-entry.ts';

const FINGERPRINT_CHARS = 16;

/** Returns the fingerprint of a signer: the first 16 hex characters of SHA-256 of the public key (SPKI). */
export function fingerprintOf(publicKey: string): string {
  return createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('hex').slice(0, FINGERPRINT_CHARS);
}

/** The text of `manifest.json`: the manifest with an Ed25519 signature over its exact bytes. */
export function signManifest(manifest: Manifest, signingKey: Uint8Array): string {
  const { text, publicKey, signature } = signText(JSON.stringify(manifestSchema.parse(manifest)), signingKey);
  return JSON.stringify({ manifest: text, publicKey, signature });
}

function parsed(text: string, what: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new BackupSetError('damaged', `${what} is not JSON`, { cause });
  }
}

/**
 * Reads the text of a `manifest.json`, of which one of `trusted` (SPKI, base64) must vouch for every byte.
 * @throws BackupSetError `damaged`, `untrusted` or `newer`
 */
export function readSignedManifest(text: string, trusted: readonly string[]): Manifest {
  const signed = signedManifestSchema.safeParse(parsed(text, 'the manifest'));
  if (!signed.success) throw new BackupSetError('damaged', 'the manifest is invalid');
  const { manifest, publicKey, signature } = signed.data;
  if (!isSigned({ text: manifest, publicKey, signature }))
    throw new BackupSetError('damaged', 'the signature of the manifest is invalid');
  if (!trusted.includes(publicKey)) {
    const signer = fingerprintOf(publicKey);
    throw new BackupSetError(
      'untrusted',
      `the backup is signed by ${signer}, which is not trusted: restore or drill it with --signer ${signer}`,
    );
  }
  const content = parsed(manifest, 'the manifest');
  const read = manifestSchema.safeParse(content);
  if (read.success) return read.data;
  const format: unknown =
    typeof content === 'object' && content !== null && 'format' in content ? content.format : null;
  if (typeof format === 'number' && format > SET_FORMAT)
    throw new BackupSetError('newer', `the backup has format ${format}; this version reads up to ${SET_FORMAT}`);
  throw new BackupSetError('damaged', 'the manifest is invalid');
}
