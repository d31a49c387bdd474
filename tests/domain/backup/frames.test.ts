import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { keyIdOf, keyOfId } from '../../../domain/backup/set-keys.ts';
import { decryptFrames, encryptFrames } from '../../../domain/backup/frames.ts';

const KEY = randomBytes(32);
const HEADER = 48;
const FRAME = 65_536 + 16;

async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.byteLength; from += size) yield bytes.subarray(from, from + size);
}

async function joined(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of source) all.push(piece);
  return Buffer.concat(all);
}

const sealed = (plain: Uint8Array, size = 10_000): Promise<Buffer> => joined(encryptFrames(KEY)(pieces(plain, size)));
const opened = (stored: Uint8Array, key: Uint8Array = KEY, size = 7_777): Promise<Buffer> =>
  joined(decryptFrames(key)(pieces(stored, size)));

describe('frames', () => {
  test.each([0, 1, 65_535, 65_536, 65_537, 200_000])('give %i bytes back, in pieces of any size', async (bytes) => {
    const plain = randomBytes(bytes);
    const stored = await sealed(plain);
    for (const size of [1_000_000, 4_096, 47]) expect((await opened(stored, KEY, size)).equals(plain)).toBe(true);
    // A complete last frame is followed by an empty one: the end is always marked.
    expect(stored.byteLength).toBe(HEADER + bytes + 16 * (Math.floor(bytes / 65_536) + 1));
  });

  test('never hold the same text as the same bytes', async () => {
    const plain = Buffer.alloc(1_000);
    expect((await sealed(plain)).equals(await sealed(plain))).toBe(false);
  });

  test('that were flipped in any place are found', async () => {
    const stored = await sealed(randomBytes(140_000));
    for (const at of [0, 9, 20, HEADER, HEADER + FRAME - 1, HEADER + FRAME, stored.byteLength - 1]) {
      const flipped = Buffer.from(stored);
      flipped.writeUInt8(flipped.readUInt8(at) ^ 1, at);
      await expect(opened(flipped)).rejects.toMatchObject({ name: 'BackupSetError' });
    }
  });

  test('that were cut off, left out, doubled or moved are found', async () => {
    const stored = await sealed(randomBytes(140_000));
    const header = stored.subarray(0, HEADER);
    const [first, second, last] = [0, 1, 2].map((n) =>
      stored.subarray(HEADER + n * FRAME, Math.min(stored.byteLength, HEADER + (n + 1) * FRAME)),
    ) as [Buffer, Buffer, Buffer];
    const wrong = [
      [],
      [header],
      [header, first],
      [header, first, second],
      [header, second, last],
      [header, second, first, last],
      [header, first, first, second, last],
      [header, first, second, last, last],
      [header, first, second, last.subarray(0, 10)],
    ];
    for (const parts of wrong) await expect(opened(Buffer.concat(parts))).rejects.toMatchObject({ kind: 'damaged' });
  });

  test('open with their own key only, whose id reveals nothing of it', async () => {
    const other = randomBytes(32);
    await expect(opened(await sealed(Buffer.from('x')), other)).rejects.toMatchObject({ kind: 'no_key' });
    expect(keyIdOf(KEY)).toMatch(/^[0-9a-f]{16}$/);
    expect(keyOfId([other, KEY], keyIdOf(KEY))).toBe(KEY);
    expect(keyOfId([other], keyIdOf(KEY))).toBeUndefined();
  });
});
