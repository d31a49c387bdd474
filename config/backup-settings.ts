import { z } from 'zod';

/** Of a key of AES-256. */
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
  .refine(areKeys, { error: 'needs keys of 32 bytes in base64, joined by commas, the newest first' });

const derKey = z.string().max(MAX_TEXT).regex(BASE64, { error: 'needs a key in base64' });

/** Settings of backups, beside where they are kept. */
export const backupEnvironment = {
  RECOLLECT_BACKUP_KEY: keys
    .optional()
    .describe(
      'Keys that backups are encrypted with: 32 bytes in base64, several joined by commas. The first encrypts, all decrypt; unset: backups are not encrypted',
    ),
  RECOLLECT_BACKUP_KEY_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('File that holds these keys, one a line; read when a backup begins'),
  RECOLLECT_BACKUP_SIGNING_KEY: derKey
    .optional()
    .describe(
      'Key that signs backups: Ed25519, PKCS #8 DER in base64. `npm start` makes one and keeps it with its secrets',
    ),
  RECOLLECT_BACKUP_TRUSTED_KEYS: z
    .string()
    .max(MAX_TEXT)
    .refine((text) => listed(text).every((key) => BASE64.test(key)), {
      error: 'needs keys in base64, joined by commas',
    })
    .default('')
    .describe('Public keys, SPKI DER in base64, joined by commas, of other instances whose backups may be read here'),
  RECOLLECT_BACKUP_KEEP_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(36_500)
    .default(30)
    .describe('Backup sets are kept for these days'),
  RECOLLECT_BACKUP_KEEP_LAST: z.coerce
    .number()
    .int()
    .min(1)
    .max(10_000)
    .default(7)
    .describe('So many of the last backup sets are kept, however old they are'),
  RECOLLECT_REPLACED_DATABASE_KEEP_DAYS: z.coerce
    .number()
    .int()
    .min(1)
    .max(36_500)
    .default(7)
    .describe('A database that a restore replaced is kept for these days; it goes after the next restore or drill'),
};

type Environment = z.output<z.ZodObject<typeof backupEnvironment>>;

/** How backups are made. Keys are bytes; none of them is ever logged. */
export function backupConfig(env: Environment) {
  const { RECOLLECT_BACKUP_SIGNING_KEY: signingKey } = env;
  return {
    keys: listed(env.RECOLLECT_BACKUP_KEY ?? '').map(bytesOf),
    keyFile: env.RECOLLECT_BACKUP_KEY_FILE ?? null,
    /** Null: this process can make no backup. */
    signingKey: signingKey === undefined ? null : bytesOf(signingKey),
    trustedKeys: listed(env.RECOLLECT_BACKUP_TRUSTED_KEYS),
    keepDays: env.RECOLLECT_BACKUP_KEEP_DAYS,
    keepLast: env.RECOLLECT_BACKUP_KEEP_LAST,
    replacedDatabaseKeepDays: env.RECOLLECT_REPLACED_DATABASE_KEEP_DAYS,
  };
}

/** The keys in the text of a key file; null where it holds anything else. */
export function keysOfFile(text: string): readonly Uint8Array[] | null {
  return text.length <= MAX_TEXT && areKeys(text) ? listed(text).map(bytesOf) : null;
}
