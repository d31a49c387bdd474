import { createHmac, timingSafeEqual } from 'node:crypto';

/** Time-based one-time passwords (RFC 6238) with the options that every authenticator knows: SHA-1, six digits, 30 seconds. */
const STEP_MS = 30_000;
const DIGITS = 6;
/** Steps that a clock may differ. */
const DRIFT = 1;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** Size of a secret, in bytes: that of the hash. */
export const TOTP_SECRET_BYTES = 20;

/** Returns the time step of a time in milliseconds since 1970. */
export function stepAt(atMs: number): number {
  return Math.floor(atMs / STEP_MS);
}

/** Returns the code of a secret in a time step. */
export function totpCode(secret: Uint8Array, step: number, digits = DIGITS): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', secret).update(counter).digest();
  const offset = mac.readUInt8(mac.length - 1) & 0xf;
  const value = mac.readUInt32BE(offset) & 0x7f_ff_ff_ff;
  return String(value % 10 ** digits).padStart(digits, '0');
}

/** Returns the time step whose code this is, of those around a time; null: none. `code` has six digits. */
export function stepOfCode(secret: Uint8Array, code: string, atMs: number): number | null {
  const now = stepAt(atMs);
  let found: number | null = null;
  for (let step = now - DRIFT; step <= now + DRIFT; step += 1)
    if (timingSafeEqual(Buffer.from(totpCode(secret, step)), Buffer.from(code))) found = step;
  return found;
}

/** Returns bytes in base 32 (RFC 4648) without padding, as authenticators expect a secret. */
export function base32(bytes: Uint8Array): string {
  let bits = '';
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0');
  return (bits.match(/.{1,5}/g) ?? []).map((part) => ALPHABET[Number.parseInt(part.padEnd(5, '0'), 2)]).join('');
}

/** Returns the address that an authenticator reads from a QR code. */
export function otpauthUri(secret: string, username: string, issuer: string): string {
  const label = `${encodeURIComponent(issuer)}:${encodeURIComponent(username)}`;
  return `otpauth://totp/${label}?secret=${secret}&issuer=${encodeURIComponent(issuer)}`;
}
