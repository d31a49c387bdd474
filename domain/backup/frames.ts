import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { KEY_BYTES, keyIdOf } from './set-keys.ts';
import { BackupSetError } from './sets.ts';

/**
 * Encrypted files: a header, then frames of AES-256-GCM. Each frame has 64 KiB of plain bytes; the last has fewer, possibly none.
 *
 * header = magic "RCLF", version 1, three zero bytes, key id (8 bytes), salt (32 bytes)
 * file key, nonce prefix = HKDF-SHA-256(key, salt, "recollect frames 1"), 32 + 7 bytes
 * nonce of a frame = prefix, its number (4 bytes, big endian), 1 for the last frame else 0
 *
 * The construction is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance,
 * 2015): the nonce contains the frame's position and whether it is the last, so frames that are changed, moved, duplicated, omitted or
 * truncated fail to decrypt. A new salt per file gives each file its own key, so no nonce repeats under a key.
 */
const MAGIC = Buffer.from([0x52, 0x43, 0x4c, 0x46, 1, 0, 0, 0]);
const KEY_ID_BYTES = 8;
const SALT_BYTES = 32;
const HEADER_BYTES = MAGIC.length + KEY_ID_BYTES + SALT_BYTES;
const FRAME_BYTES = 65_536;
const TAG_BYTES = 16;
const PREFIX_BYTES = 7;
const NONCE_BYTES = 12;
const INFO = 'recollect frames 1';
const MAX_FRAMES = 2 ** 32;

type Transform = (source: AsyncIterable<Uint8Array>) => AsyncGenerator<Uint8Array>;

interface FileSecrets {
  readonly key: Buffer;
  readonly prefix: Buffer;
}

function secretsOf(key: Uint8Array, salt: Uint8Array): FileSecrets {
  const derived = Buffer.from(hkdfSync('sha256', key, salt, INFO, KEY_BYTES + PREFIX_BYTES));
  return { key: derived.subarray(0, KEY_BYTES), prefix: derived.subarray(KEY_BYTES) };
}

function nonceOf({ prefix }: FileSecrets, frame: number, isLast: boolean): Buffer {
  if (frame >= MAX_FRAMES) throw new RangeError('too many frames: frame numbers have 32 bits');
  const nonce = Buffer.alloc(NONCE_BYTES);
  prefix.copy(nonce);
  nonce.writeUInt32BE(frame, PREFIX_BYTES);
  nonce.writeUInt8(isLast ? 1 : 0, NONCE_BYTES - 1);
  return nonce;
}

/** Yields pieces of exactly `bytes`, then one shorter, possibly empty, piece. */
async function* piecesOf(
  source: AsyncIterable<Uint8Array>,
  bytes: number,
): AsyncGenerator<{ readonly piece: Buffer; readonly isLast: boolean }> {
  let waiting: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source) {
    waiting.push(chunk);
    length += chunk.byteLength;
    if (length < bytes) continue;
    const joined = Buffer.concat(waiting, length);
    let from = 0;
    for (; length - from >= bytes; from += bytes) yield { piece: joined.subarray(from, from + bytes), isLast: false };
    waiting = [joined.subarray(from)];
    length -= from;
  }
  yield { piece: Buffer.concat(waiting, length), isLast: true };
}

/** Encrypts a stream frame by frame under a key of 32 bytes. Buffers at most some hundred KiB. */
export function encryptFrames(key: Uint8Array): Transform {
  return async function* encrypted(source) {
    const salt = randomBytes(SALT_BYTES);
    const secrets = secretsOf(key, salt);
    yield Buffer.concat([MAGIC, Buffer.from(keyIdOf(key), 'hex'), salt]);
    let frame = 0;
    for await (const { piece, isLast } of piecesOf(source, FRAME_BYTES)) {
      const cipher = createCipheriv('aes-256-gcm', secrets.key, nonceOf(secrets, frame, isLast));
      yield Buffer.concat([cipher.update(piece), cipher.final(), cipher.getAuthTag()]);
      frame += 1;
    }
  };
}

function openFrame(secrets: FileSecrets, frame: number, isLast: boolean, sealed: Buffer): Buffer {
  if (sealed.length < TAG_BYTES) throw new BackupSetError('damaged', 'encrypted file is truncated');
  const decipher = createDecipheriv('aes-256-gcm', secrets.key, nonceOf(secrets, frame, isLast));
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG_BYTES));
  try {
    return Buffer.concat([decipher.update(sealed.subarray(0, sealed.length - TAG_BYTES)), decipher.final()]);
  } catch (cause) {
    throw new BackupSetError('damaged', `frame ${frame} of an encrypted file fails authentication`, { cause });
  }
}

function readHeader(key: Uint8Array, header: Buffer): FileSecrets {
  if (header.length < HEADER_BYTES || !header.subarray(0, MAGIC.length).equals(MAGIC))
    throw new BackupSetError('damaged', 'encrypted file has no valid header');
  const keyId = header.subarray(MAGIC.length, MAGIC.length + KEY_ID_BYTES).toString('hex');
  if (keyId !== keyIdOf(key)) throw new BackupSetError('no_key', `file is encrypted with the key ${keyId}`);
  return secretsOf(key, header.subarray(MAGIC.length + KEY_ID_BYTES, HEADER_BYTES));
}

/** Returns the header and the rest of a stream with pieces of any size. */
async function splitHeader(
  source: AsyncIterable<Uint8Array>,
): Promise<{ readonly header: Buffer; readonly rest: AsyncGenerator<Uint8Array> }> {
  const pieces = source[Symbol.asyncIterator]();
  let header = Buffer.alloc(0);
  while (header.length < HEADER_BYTES) {
    const next = await pieces.next();
    if (next.done === true) break;
    header = Buffer.concat([header, next.value]);
  }
  const following = header.subarray(HEADER_BYTES);
  async function* rest(): AsyncGenerator<Uint8Array> {
    try {
      yield following;
      for (;;) {
        const next = await pieces.next();
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await pieces.return?.();
    }
  }
  return { header: header.subarray(0, HEADER_BYTES), rest: rest() };
}

/**
 * Decrypts the output of `encryptFrames`. Yields each frame only after its authentication, and the last one only at the end of the file.
 * @throws BackupSetError `damaged` if the bytes differ from those written, `no_key` if another key wrote them
 */
export function decryptFrames(key: Uint8Array): Transform {
  return async function* decrypted(source) {
    const { header, rest } = await splitHeader(source);
    const secrets = readHeader(key, header);
    let frame = 0;
    for await (const { piece, isLast } of piecesOf(rest, FRAME_BYTES + TAG_BYTES)) {
      yield openFrame(secrets, frame, isLast, piece);
      frame += 1;
    }
  };
}
