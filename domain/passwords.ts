import { argon2, randomBytes, timingSafeEqual } from 'node:crypto';

/** RFC 9106, second recommended set of options: 64 MiB, three passes; parallelism one instead of four, for two cores. */
const OPTIONS = { memory: 65_536, passes: 3, parallelism: 1 } as const;
const SALT_BYTES = 16;
const TAG_BYTES = 32;

export const SHORTEST_PASSWORD = 12;
/** Characters: a longer text costs time and gains nothing. */
export const LONGEST_PASSWORD = 1_024;

interface Stored {
  readonly memory: number;
  readonly passes: number;
  readonly parallelism: number;
  readonly salt: Buffer;
  readonly tag: Buffer;
}

/** Checked for unknown users, so that they take the same time: no password has this hash. */
const NONE: Stored = { ...OPTIONS, salt: Buffer.alloc(SALT_BYTES), tag: Buffer.alloc(TAG_BYTES) };

const PHC = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

/** Returns the parts of a hash in the PHC string format. @throws Error for another text */
function parse(stored: string): Stored {
  const [, memory, passes, parallelism, salt, tag] = PHC.exec(stored) ?? [];
  if (salt === undefined || tag === undefined) throw new Error('a stored password hash has an unknown form');
  const [saltBytes, tagBytes] = [salt, tag].map((text) => Buffer.from(text, 'base64'));
  return {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
    salt: saltBytes ?? Buffer.alloc(0),
    tag: tagBytes ?? Buffer.alloc(0),
  };
}

/** Returns what is hashed: the same characters have several encodings, and keyboards differ. */
export function normalisedPassword(password: string): string {
  return password.normalize('NFKC');
}

/** Characters that a password has beside the words that others know. */
const FEWEST_OF_ITS_OWN = 8;
/** Shorter words occur in other words. */
const SHORTEST_WORD = 3;
const PRODUCT = 'recollect';

/**
 * Returns why a password is easily guessed; null if these rules find nothing. `names`: of the user, such as the email address. Source: NIST SP 800-63B, 5.1.1.2
 * (repetitive characters, context-specific words).
 */
export function weaknessOf(password: string, names: readonly string[]): string | null {
  const text = normalisedPassword(password).toLowerCase();
  if (/^(.)\1*$/su.test(text)) return 'repeats one character';
  const words = [...names, ...names.map((name) => name.split('@', 1)[0] ?? ''), PRODUCT]
    .map((word) => word.toLowerCase())
    .filter((word) => word.length >= SHORTEST_WORD)
    .toSorted((a, b) => b.length - a.length);
  const rest = words.reduce((left, word) => left.replaceAll(word, ''), text);
  return rest.length < text.length && rest.length < FEWEST_OF_ITS_OWN
    ? `consists of your name, your email address or "${PRODUCT}", with fewer than ${FEWEST_OF_ITS_OWN} other characters`
    : null;
}

function derive(password: string, { memory, passes, parallelism, salt, tag }: Stored): Promise<Buffer> {
  const options = {
    message: normalisedPassword(password),
    nonce: salt,
    memory,
    passes,
    parallelism,
    tagLength: tag.length,
  };
  return new Promise((resolve, reject) => {
    argon2('argon2id', options, (error, derived) => (error === null ? resolve(derived) : reject(error)));
  });
}

const encoded = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');

/** Returns Argon2id in the PHC string format, options and salt included. Takes about a tenth of a second of a core, on purpose. */
export async function hashPassword(password: string): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  const tag = await derive(password, { ...NONE, salt });
  return `$argon2id$v=19$m=${OPTIONS.memory},t=${OPTIONS.passes},p=${OPTIONS.parallelism}$${encoded(salt)}$${encoded(tag)}`;
}

/** Returns true if a password has this hash. Null, of an unknown user, takes the same time. @throws Error for a hash of another form */
export async function verifyPassword(stored: string | null, password: string): Promise<boolean> {
  const expected = stored === null ? NONE : parse(stored);
  const isEqual = timingSafeEqual(await derive(password, expected), expected.tag);
  return isEqual && stored !== null;
}
