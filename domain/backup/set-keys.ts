/** Where the parts of a backup set lie in its store. Keys of files are told below the set's own folder, as the manifest holds them. */

const SETS = 'sets/';
const MANIFEST = 'manifest.json';
const SET_KEY = /^sets\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\//;

/** What every set's objects begin with. */
export const SETS_PREFIX = SETS;

/** What all objects of one set begin with. */
export function setPrefix(backupId: string): string {
  return `${SETS}${backupId}/`;
}

/** The object whose being there makes a set one. */
export function manifestKey(backupId: string): string {
  return `${setPrefix(backupId)}${MANIFEST}`;
}

/** The object of a file that the manifest names. */
export function fileKey(backupId: string, key: string): string {
  return `${setPrefix(backupId)}${key}`;
}

/** A table's nth file, as the manifest names it. */
export function tableFileKey(table: string, n: number): string {
  return `tables/${table}/${n}.copy.zst`;
}

/** The nth file of vectors, counted over all tenants and indexes. */
export function vectorFileKey(n: number): string {
  return `vectors/${n}.ndjson.zst`;
}

/** What the objects of archived sessions begin with: each lies once for all sets. */
const FILES_PREFIX = 'files/';

/** The object of an archived session's file, by the SHA-256 of that file and the name of the key that it is encrypted with; null: it is not. */
export function archivedFileKey(sha256: string, keyId: string | null): string {
  return `${FILES_PREFIX}${keyId ?? 'plain'}/${sha256}`;
}

/** Which set an object is of; null for what lies elsewhere. */
export function setOfKey(key: string): string | null {
  return SET_KEY.exec(key)?.[1] ?? null;
}
