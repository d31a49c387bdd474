import type { ExportedObject } from '../ports/vector-index.ts';
import { createHash } from 'node:crypto';

/** 32 bytes. */
export const KEY_BYTES = 32;

/** Returns the id of a key for manifests and files: derived by hash, so it reveals nothing of the key. */
export function keyIdOf(key: Uint8Array): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 16);
}

/** Returns the key with that id; undefined if the instance has none. */
export function keyOfId(keys: readonly Uint8Array[], keyId: string): Uint8Array | undefined {
  return keys.find((key) => keyIdOf(key) === keyId);
}

/** Object keys of a backup set. The manifest names files relative to the set's prefix. */

const SETS = 'sets/';
const MANIFEST = 'manifest.json';
const SET_KEY = /^sets\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\//;

/** Prefix of the objects of all sets. */
export const SETS_PREFIX = SETS;

/** Prefix of the objects of one set. */
export function setPrefix(backupId: string): string {
  return `${SETS}${backupId}/`;
}

/** Key of the manifest; a set without one is incomplete. */
export function manifestKey(backupId: string): string {
  return `${setPrefix(backupId)}${MANIFEST}`;
}

/** Key of a file that the manifest names. */
export function fileKey(backupId: string, key: string): string {
  return `${setPrefix(backupId)}${key}`;
}

/** Name of a table's nth file in the manifest. */
export function tableFileKey(table: string, n: number): string {
  return `tables/${table}/${n}.copy.zst`;
}

/** Name of the nth vector file, counted over all tenants and indexes. */
export function vectorFileKey(n: number): string {
  return `vectors/${n}.ndjson.zst`;
}

/** Prefix of the files of archived sessions, which all sets share. */
const FILES_PREFIX = 'files/';

/** Key of an archived session's file by its SHA-256 and the id of its encryption key; null: not encrypted. */
export function archivedFileKey(sha256: string, keyId: string | null): string {
  return `${FILES_PREFIX}${keyId ?? 'plain'}/${sha256}`;
}

/** Returns the set that an object belongs to; null for other objects. */
export function setOfKey(key: string): string | null {
  return SET_KEY.exec(key)?.[1] ?? null;
}

/** Returns one line of a vector file: `{"id", "properties", "vector"}` and a newline; the vector is little-endian float32 in base64. */
export function vectorLine({ objectId, properties, vector }: ExportedObject): string {
  const bytes = Buffer.from(vector.buffer, vector.byteOffset, vector.byteLength);
  return `${JSON.stringify({ id: objectId, properties, vector: bytes.toString('base64') })}\n`;
}
