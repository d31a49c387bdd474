import { argon2Sync, randomBytes } from 'node:crypto';

/** RFC 9106, second recommended set of options: 64 MiB, three passes; parallelism one instead of four, for two cores. */
const OPTIONS = { memory: 65_536, passes: 3, parallelism: 1, tagLength: 32 } as const;
const SALT_BYTES = 16;

/** Argon2id in the PHC string format, options and salt included. Takes about a tenth of a second, on purpose. */
export function hashPassword(password: string): string {
  const salt = randomBytes(SALT_BYTES);
  const tag = argon2Sync('argon2id', { message: password, nonce: salt, ...OPTIONS });
  const encode = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  return `$argon2id$v=19$m=${OPTIONS.memory},t=${OPTIONS.passes},p=${OPTIONS.parallelism}$${encode(salt)}$${encode(tag)}`;
}
