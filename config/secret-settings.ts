import { z } from 'zod';

const MAX_TEXT = 16_384;
const KEY = /^([A-Za-z0-9_-]{1,64}):([A-Za-z0-9+/]{43}=)$/;

/** A named key of 32 bytes. */
interface NamedKey {
  readonly kid: string;
  readonly key: Uint8Array;
}

function entriesOf(text: string): string[] {
  return text.split(/[,\s]+/).filter((part) => part !== '');
}

/** Returns the keys of a list; null if it is not a list of keys, names one twice or is too long. */
export function secretKeysOf(text: string): readonly [NamedKey, ...NamedKey[]] | null {
  if (text.length > MAX_TEXT) return null;
  const keys: NamedKey[] = [];
  for (const entry of entriesOf(text)) {
    const [, kid, base64] = KEY.exec(entry) ?? [];
    if (kid === undefined || base64 === undefined || keys.some((known) => known.kid === kid)) return null;
    keys.push({ kid, key: Buffer.from(base64, 'base64') });
  }
  const [first, ...rest] = keys;
  return first === undefined ? null : [first, ...rest];
}

/** Settings of the keys that seal secrets in the database. */
export const secretEnvironment = {
  RECOLLECT_SECRET_KEYS: z
    .string()
    .max(MAX_TEXT)
    .refine((text) => secretKeysOf(text) !== null, {
      error: 'must be a list of NAME:KEY with different names and keys of 32 bytes in base64, newest first',
    })
    .optional()
    .describe(
      'Keys that seal secrets in the database: a list of NAME:KEY with 32 bytes in base64, separated by commas. The first seals, all open; log-in needs one. `recollect up` creates one in its secrets',
    ),
  RECOLLECT_SECRET_KEYS_FILE: z
    .string()
    .min(1)
    .optional()
    .describe('File with these keys, one per line; read when a key is needed'),
};

type Environment = z.output<z.ZodObject<typeof secretEnvironment>>;

/** Returns the settings of sealing. Keys are bytes and must not be logged. */
export function secretConfig(env: Environment) {
  return {
    secretKeys: {
      keys: env.RECOLLECT_SECRET_KEYS === undefined ? null : secretKeysOf(env.RECOLLECT_SECRET_KEYS),
      file: env.RECOLLECT_SECRET_KEYS_FILE ?? null,
    },
  };
}
