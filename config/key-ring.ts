import { readFileSync } from 'node:fs';
import type { KeyRing } from '../domain/sealing.ts';
import { secretKeysOf } from './secret-settings.ts';
import type { Config } from './config.ts';

/**
 * Returns the keys that seal secrets, read from their file if that is set; null if none is set.
 * @throws Error without a key if the file is missing or contains other text
 */
export function readKeyRing({ keys, file }: Config['secretKeys']): KeyRing | null {
  if (file === null) return keys;
  const read = secretKeysOf(readFileSync(file, 'utf8'));
  if (read === null) throw new Error('RECOLLECT_SECRET_KEYS_FILE: the file is not a list of NAME:KEY');
  return read;
}
