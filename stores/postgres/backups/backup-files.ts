import type pg from 'pg';
import { z } from 'zod';
import { rowOf } from '../connection/rows.ts';

/** Files of archived sessions beside the backup sets. All functions need the pool of the maintenance role. */

/** Files per query. */
const AT_ONCE = 200;

/** Hashes in hex; the key is that of the archive store. */
const archivedFile = rowOf({ sha256: z.string(), object_key: z.string() });
export type ArchivedFile = z.output<typeof archivedFile>;

const storedFile = rowOf({
  sha256: z.string(),
  /** Null: not encrypted. */
  key_id: z.string().transform((id) => (id === '' ? null : id)),
  /** Of the bytes beside the sets, hex. */
  stored_sha256: z.string(),
});
export type StoredFile = z.output<typeof storedFile>;

/** An archive whose rows are back counts none, and needs no file. */
const ARCHIVED = `
  SELECT DISTINCT ON (1) encode(a.object_sha256, 'hex') AS sha256, a.object_key FROM archives a
   WHERE a.counts <> '{}' AND encode(a.object_sha256, 'hex') > $1`;

async function* pages(
  maintenance: pg.Pool,
  condition: string,
  values: readonly unknown[],
): AsyncGenerator<ArchivedFile> {
  for (let after = ''; ;) {
    const { rows } = await maintenance.query(`${ARCHIVED} ${condition} ORDER BY 1 LIMIT ${AT_ONCE}`, [
      after,
      ...values,
    ]);
    const page = z.array(archivedFile).parse(rows);
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < AT_ONCE) return;
    after = last.sha256;
  }
}

/** Files of all archived sessions. */
export function archivedFiles(maintenance: pg.Pool): AsyncGenerator<ArchivedFile> {
  return pages(maintenance, '', []);
}

/** Files that are not stored beside the sets with that key. */
export function filesToKeep(maintenance: pg.Pool, keyId: string | null): AsyncGenerator<ArchivedFile> {
  const isMissing =
    "AND NOT EXISTS (SELECT FROM backup_files f WHERE f.sha256 = encode(a.object_sha256, 'hex') AND f.key_id = $2)";
  return pages(maintenance, isMissing, [keyId ?? '']);
}

/** Records a file beside the sets. */
export async function recordStored(maintenance: pg.Pool, { sha256, keyId, storedSha256 }: StoredFile): Promise<void> {
  await maintenance.query(
    `INSERT INTO backup_files (sha256, key_id, stored_sha256) VALUES ($1, $2, $3)
     ON CONFLICT (sha256, key_id) DO UPDATE SET stored_sha256 = excluded.stored_sha256, copied_at = NULL, unneeded_at = NULL`,
    [sha256, keyId ?? '', storedSha256],
  );
}

/** Some of those that were not copied off-site yet. */
export async function filesToCopy(maintenance: pg.Pool): Promise<StoredFile[]> {
  const { rows } = await maintenance.query(
    'SELECT sha256, key_id, stored_sha256 FROM backup_files WHERE copied_at IS NULL ORDER BY created_at LIMIT $1',
    [AT_ONCE],
  );
  return z.array(storedFile).parse(rows);
}

/** Records that a file was read back off-site. */
export async function noteCopied(maintenance: pg.Pool, { sha256, keyId }: StoredFile): Promise<void> {
  await maintenance.query('UPDATE backup_files SET copied_at = now() WHERE sha256 = $1 AND key_id = $2', [
    sha256,
    keyId ?? '',
  ]);
}

export interface FileRule {
  /** Start of the oldest existing set. */
  readonly oldest: Date;
  /** The key that files are encrypted with now; null: none. Under another one they are needed by older sets alone. */
  readonly keyId: string | null;
}

/** Returns some files that no archive and no existing set needs. */
export async function filesToRemove(maintenance: pg.Pool, { oldest, keyId }: FileRule): Promise<StoredFile[]> {
  const isNeeded = `(f.key_id = $1 AND decode(f.sha256, 'hex') IN (SELECT a.object_sha256 FROM archives a WHERE a.counts <> '{}'))`;
  await maintenance.query(
    `UPDATE backup_files f SET unneeded_at = CASE WHEN ${isNeeded} THEN NULL ELSE now() END WHERE (unneeded_at IS NULL) <> ${isNeeded}`,
    [keyId ?? ''],
  );
  const { rows } = await maintenance.query(
    'SELECT sha256, key_id, stored_sha256 FROM backup_files WHERE unneeded_at < $1 ORDER BY unneeded_at LIMIT $2',
    [oldest, AT_ONCE],
  );
  return z.array(storedFile).parse(rows);
}

/** Deletes the record of a deleted file. */
export async function deleteFileRecord(maintenance: pg.Pool, { sha256, keyId }: StoredFile): Promise<void> {
  await maintenance.query('DELETE FROM backup_files WHERE sha256 = $1 AND key_id = $2', [sha256, keyId ?? '']);
}

/** Expires exports whose files are not among these keys. */
export async function expireExports(maintenance: pg.Pool, keys: readonly string[]): Promise<void> {
  await maintenance.query(
    "UPDATE exports SET state = 'expired', updated_at = now() WHERE state = 'completed' AND object_key <> ALL ($1::text[])",
    [keys],
  );
}
