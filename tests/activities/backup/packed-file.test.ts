import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ArchiveStore } from '../../../domain/ports/archive-store.ts';
import { createDirectoryArchive } from '../../../stores/archive/directory.ts';
import type { ManifestFile } from '../../../activities/backup/manifest.ts';
import { packFile, unpackFile } from '../../../activities/backup/packed-file.ts';

const TEXT = Buffer.from(Array.from({ length: 20_000 }, (_, n) => `row ${n}\t${n * 7}\n`).join(''));
const backupId = randomUUID();
let folder: string;
let store: ArchiveStore;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'recollect-packed-'));
  store = createDirectoryArchive(folder);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function* pieces(): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < TEXT.length; from += 10_000) yield TEXT.subarray(from, from + 10_000);
}

async function pack(name: string, key: Uint8Array | null): Promise<ManifestFile> {
  const target = { store, backupId, key, pace: () => Promise.resolve(), signal: new AbortController().signal };
  return packFile(target, name, pieces(), () => 20_000);
}

async function unpack(file: ManifestFile, key: Uint8Array | null): Promise<Buffer> {
  const read: Uint8Array[] = [];
  for await (const piece of unpackFile(store, backupId, file, key)) read.push(piece);
  return Buffer.concat(read);
}

describe.each([
  ['plain', null],
  ['encrypted', randomBytes(32)],
] as const)('a file of a set, %s', (name, key) => {
  test('is unpacked unchanged', async () => {
    const file = await pack(`tables/${name}/0.copy.zst`, key);
    expect(file).toMatchObject({ plainBytes: TEXT.length, rows: 20_000 });
    expect((await unpack(file, key)).equals(TEXT)).toBe(true);
  });

  test.each<[string, (bytes: Buffer) => Buffer]>([
    [
      'one flipped bit',
      (bytes) => Buffer.concat([bytes.subarray(0, -9), Buffer.from([(bytes.at(-9) ?? 0) ^ 1]), bytes.subarray(-8)]),
    ],
    ['its end cut off', (bytes) => bytes.subarray(0, -20)],
    ['half of it cut off', (bytes) => bytes.subarray(0, bytes.length / 2)],
    ['nothing in it', () => Buffer.alloc(0)],
  ])('with %s is reported as damaged', async (_what, change) => {
    const file = await pack(`tables/${name}/1.copy.zst`, key);
    const stored = path.join(folder, 'sets', backupId, file.key);
    await writeFile(stored, change(await readFile(stored)));
    await expect(unpack(file, key)).rejects.toMatchObject({ name: 'BackupSetError', kind: 'damaged' });
  });
});
