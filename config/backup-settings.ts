import { z } from 'zod';

/** Size of an AES-256 key. */
const KEY_BYTES = 32;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/u;
const MAX_TEXT = 4_096;

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'base64');

function listed(text: string): string[] {
  return text
    .split(/[,\s]+/u)
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function areKeys(text: string): boolean {
  const keys = listed(text);
  return keys.length > 0 && keys.every((key) => BASE64.test(key) && bytesOf(key).byteLength === KEY_BYTES);
}

const keys = z
  .string()
  .max(MAX_TEXT)
  .refine(areKeys, { error: 'must be keys of 32 bytes in base64, separated by commas, newest first' });

const derKey = z.string().max(MAX_TEXT).regex(BASE64, { error: 'must be a key in base64' });

/** Settings of backups, except their stores. */
export const backupEnvironment = {
  RECOLLECT_BACKUP_KEY: keys
    .optional()
    .describe(
      'Encryption keys of backups: 32 bytes in base64, separated by commas. The first encrypts, all decrypt; unset: backups are not encrypted',
    ),
  RECOLLECT_BACKUP_KEY_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('File with these keys, one per line; read at the start of each backup'),
  RECOLLECT_BACKUP_SIGNING_KEY: derKey
    .optional()
    .describe('Signing key of backups: Ed25519, PKCS #8 DER in base64. `recollect up` creates one in its secrets'),
  RECOLLECT_BACKUP_TRUSTED_KEYS: z
    .string()
    .max(MAX_TEXT)
    .refine((text) => listed(text).every((key) => BASE64.test(key)), {
      error: 'must be keys in base64, separated by commas',
    })
    .default('')
    .describe('Public keys of other instances whose backups are accepted: SPKI DER in base64, separated by commas'),
  RECOLLECT_BACKUP_KEEP_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(36_500)
    .default(30)
    .describe('Days that backups are retained'),
  RECOLLECT_BACKUP_KEEP_LAST: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(7)
    .describe('Number of newest backups that are retained regardless of age'),
  RECOLLECT_REPLACED_DATABASE_KEEP_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(36_500)
    .default(7)
    .describe('Days that a database replaced by a restore is retained; the next restore or drill deletes it'),
};

type Environment = z.output<z.ZodObject<typeof backupEnvironment>>;

/** Returns the settings of backups. Keys are bytes and must not be logged. */
export function backupConfig(env: Environment) {
  const { RECOLLECT_BACKUP_SIGNING_KEY: signingKey } = env;
  return {
    keys: listed(env.RECOLLECT_BACKUP_KEY ?? '').map(bytesOf),
    keyFile: env.RECOLLECT_BACKUP_KEY_FILE ?? null,
    /** Null: this process cannot create backups. */
    signingKey: signingKey === undefined ? null : bytesOf(signingKey),
    trustedKeys: listed(env.RECOLLECT_BACKUP_TRUSTED_KEYS),
    keepDays: env.RECOLLECT_BACKUP_KEEP_DAYS,
    keepLast: env.RECOLLECT_BACKUP_KEEP_LAST,
    replacedDatabaseKeepDays: env.RECOLLECT_REPLACED_DATABASE_KEEP_DAYS,
  };
}

/** Returns the keys in the text of a key file; null for other content. */
export function keysOfFile(text: string): readonly Uint8Array[] | null {
  return text.length <= MAX_TEXT && areKeys(text) ? listed(text).map(bytesOf) : null;
}
