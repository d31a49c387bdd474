import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

/**
 * Sealed values: secrets that the database stores encrypted with AES-256-GCM.
 *
 * value = version 1 (1 byte), length of the key id (1 byte), key id, nonce (12 bytes), ciphertext, tag (16 bytes)
 *
 * The tag also covers the header and the place of the value (column, tenant, row): a value that was moved to another place does not open.
 */
const VERSION = 1;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';

/** Every sealed column, with the columns of its row that its place consists of; null: the table has no tenant. The rotation of keys seals them anew. */
export const SEALED_COLUMNS = [
  { table: 'signing_keys', column: 'sealed_private_key', id: 'id', tenant: null },
  { table: 'mfa_totp', column: 'sealed_secret', id: 'user_id', tenant: 'tenant_id' },
] as const satisfies readonly {
  readonly table: string;
  readonly column: string;
  readonly id: string;
  readonly tenant: string | null;
}[];

type Sealed = (typeof SEALED_COLUMNS)[number];
/** Table and column, such as `mfa_totp.sealed_secret`. */
export type SealedColumn = { [C in Sealed as C['table']]: `${C['table']}.${C['column']}` }[Sealed['table']];

/** Returns the name of a sealed column. */
export function sealedColumnOf({ table, column }: Sealed): SealedColumn {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- table and column are of one entry of the list
  return `${table}.${column}` as SealedColumn;
}

/** The one place where a sealed value opens. */
export interface SealedPlace {
  readonly column: SealedColumn;
  /** Null for a value of the instance. */
  readonly tenantId: string | null;
  readonly rowId: string;
}

/** A key with its name, at most 64 characters of ASCII. */
export interface SealingKey {
  readonly kid: string;
  readonly key: Uint8Array;
}

/** The first key seals; all open. */
export type KeyRing = readonly [SealingKey, ...SealingKey[]];

/** A value that does not open: damaged, moved, or sealed with a key that the ring lacks. */
export class SealingError extends Error {
  override readonly name = 'SealingError';
}

function placeBytes({ column, tenantId, rowId }: SealedPlace): Buffer {
  return Buffer.from(JSON.stringify([column, tenantId, rowId]));
}

function headerOf(kid: string): Buffer {
  return Buffer.concat([Buffer.from([VERSION, kid.length]), Buffer.from(kid, 'ascii')]);
}

/** Returns the length of the header and the id of the key. @throws SealingError */
function readHeader(sealed: Uint8Array): { readonly length: number; readonly kid: string } {
  const [version, kidLength = 0] = sealed;
  const length = 2 + kidLength;
  if (version !== VERSION || sealed.length < length + NONCE_BYTES + TAG_BYTES)
    throw new SealingError('a sealed value has an unknown form');
  return { length, kid: Buffer.from(sealed.subarray(2, length)).toString('ascii') };
}

/** Returns a value sealed with the first key, for one place. */
export function seal([{ kid, key }]: KeyRing, place: SealedPlace, plain: Uint8Array): Uint8Array<ArrayBuffer> {
  const header = headerOf(kid);
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.concat([header, placeBytes(place)]));
  const sealed = [header, nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()];
  return new Uint8Array(Buffer.concat(sealed));
}

/** Returns the plain bytes of a value in its place. @throws SealingError */
export function unseal(ring: KeyRing, place: SealedPlace, sealed: Uint8Array): Buffer {
  const { length, kid } = readHeader(sealed);
  const found = ring.find((each) => each.kid === kid);
  if (found === undefined)
    throw new SealingError(`the key ${JSON.stringify(kid)} of a sealed value is not in the key ring`);
  const body = Buffer.from(sealed.subarray(length));
  const decipher = createDecipheriv(CIPHER, found.key, body.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAAD(Buffer.concat([sealed.subarray(0, length), placeBytes(place)]));
  decipher.setAuthTag(body.subarray(-TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(body.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
  } catch {
    throw new SealingError('a sealed value was changed, or moved from another place');
  }
}

/** Returns true if a value was sealed with another key than the first. @throws SealingError for a value of an unknown form */
export function needsReseal(sealed: Uint8Array, [first]: KeyRing): boolean {
  return readHeader(sealed).kid !== first.kid;
}
