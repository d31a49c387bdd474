import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { KEY_BYTES } from '../../domain/backup/encryption-keys.ts';
import type { Manifest } from './manifest.ts';
import { BackupSetError } from '../../domain/backup/set-error.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const INFO = 'recollect question words 1';

type Queries = Manifest['queries'];

/** Returns the backup's own key, derived from the key of its files. */
function keyOf(key: Uint8Array, backupId: string): Buffer {
  return Buffer.from(hkdfSync('sha256', key, backupId, INFO, KEY_BYTES));
}

/** Encrypts the queries, which contain words of titles, since the manifest is plain: nonce, AES-256-GCM and tag in base64. */
export function sealQueries(queries: Queries, key: Uint8Array, backupId: string): Queries {
  const own = keyOf(key, backupId);
  return queries.map((query) => {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv('aes-256-gcm', own, nonce);
    const sealed = Buffer.concat([nonce, cipher.update(query.words, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return { ...query, words: sealed.toString('base64') };
  });
}

/** Reverses `sealQueries`. @throws BackupSetError `damaged` */
export function openQueries(queries: Queries, key: Uint8Array, backupId: string): Queries {
  const own = keyOf(key, backupId);
  return queries.map((query) => {
    const sealed = Buffer.from(query.words, 'base64');
    try {
      const decipher = createDecipheriv('aes-256-gcm', own, sealed.subarray(0, NONCE_BYTES), {
        authTagLength: TAG_BYTES,
      });
      decipher.setAuthTag(sealed.subarray(-TAG_BYTES));
      const words = Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
      return { ...query, words: words.toString('utf8') };
    } catch (cause) {
      throw new BackupSetError('damaged', 'the queries of the manifest cannot be decrypted', { cause });
    }
  });
}
