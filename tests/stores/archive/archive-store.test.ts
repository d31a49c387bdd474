import { createHash, randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ArchiveStore } from '../../../domain/ports/archive-store.ts';
import { createArchiveStore } from '../../../stores/archive/create-archive-store.ts';
import { startFailingProxy } from '../../setup/failing-proxy.ts';
import { startS3Gateway, type S3Gateway } from '../../setup/s3-gateway.ts';

const NO_S3 = { endpoint: null, region: 'us-east-1', credentials: null } as const;
/** Three parts of an upload. */
const LARGE = randomBytes(20 * 1024 * 1024);

let root: string;
let gateway: S3Gateway;
const stores = new Map<string, ArchiveStore>();

beforeAll(async () => {
  [root, gateway] = await Promise.all([mkdtemp(path.join(tmpdir(), 'recollect-archive-')), startS3Gateway()]);
  const { endpoint, credentials, bucket } = gateway;
  stores.set('directory', createArchiveStore(path.join(root, 'store'), NO_S3));
  stores.set('s3', createArchiveStore(`s3://${bucket}/one/two`, { endpoint, region: 'us-east-1', credentials }));
  // The server is built once, which takes minutes.
}, 1_200_000);
afterAll(async () => {
  await gateway.close();
  await rm(root, { recursive: true, force: true });
});

async function* pieces(bytes: Uint8Array, size = 700_001): AsyncGenerator<Uint8Array> {
  for (let from = 0; from < bytes.length; from += size) yield bytes.subarray(from, from + size);
}

async function listOf<Item>(source: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const item of source) items.push(item);
  return items;
}

async function all(source: AsyncIterable<Uint8Array>): Promise<Buffer> {
  return Buffer.concat(await listOf(source));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function storeOf(kind: string): ArchiveStore {
  const store = stores.get(kind);
  if (store === undefined) throw new Error(`no store ${kind}`);
  return store;
}

async function keysUnder(store: ArchiveStore, prefix: string): Promise<string[]> {
  return (await listOf(store.list(prefix))).map(({ key }) => key);
}

describe.each(['directory', 's3'])('an archive store: %s', (kind) => {
  test('returns the stored bytes of any length, and their hash', async () => {
    const store = storeOf(kind);
    for (const [key, bytes] of [
      ['lengths/none', Buffer.alloc(0)],
      ['lengths/one.txt', Buffer.from('x')],
      ['lengths/large.zst', LARGE],
    ] as const) {
      expect(await store.write(key, pieces(bytes))).toEqual({ bytes: bytes.length, sha256: sha256(bytes) });
      expect(sha256(await all(store.read(key)))).toBe(sha256(bytes));
    }
    await store.write('lengths/one.txt', pieces(Buffer.from('other')));
    expect(String(await all(store.read('lengths/one.txt')))).toBe('other');
  });

  test('lists by the beginning of keys, in their order, and removes', async () => {
    const store = storeOf(kind);
    for (const key of ['sets/b/2', 'sets/b/1', 'sets/a/9', 'sets/a-b/1', 'sets-x/1'])
      await store.write(key, pieces(Buffer.from(key)));
    expect(await keysUnder(store, 'sets/')).toEqual(['sets/a-b/1', 'sets/a/9', 'sets/b/1', 'sets/b/2']);
    expect(await keysUnder(store, 'sets/b')).toEqual(['sets/b/1', 'sets/b/2']);
    expect(await keysUnder(store, 'nothing/')).toEqual([]);
    const [first] = await listOf(store.list('sets/a/9'));
    expect(first).toMatchObject({ key: 'sets/a/9', bytes: 8 });
    expect(Math.abs(Date.now() - (first?.modifiedAt.getTime() ?? 0))).toBeLessThan(60_000);
    await store.remove('sets/b/1');
    await store.remove('sets/b/1');
    expect(await keysUnder(store, 'sets/b')).toEqual(['sets/b/2']);
  });

  test('has nothing under a key whose source failed or was cancelled, and passes on why', async () => {
    const store = storeOf(kind);
    const failing = async function* () {
      yield* pieces(LARGE.subarray(0, 9 * 1024 * 1024));
      throw new TypeError('the source broke');
    };
    await expect(store.write('broken/one', failing())).rejects.toThrow(TypeError);
    const controller = new AbortController();
    const cancelled = async function* () {
      yield* pieces(LARGE.subarray(0, 9 * 1024 * 1024));
      controller.abort(new Error('enough'));
      yield* pieces(LARGE);
    };
    await expect(store.write('broken/two', cancelled(), controller.signal)).rejects.toThrow('enough');
    expect(await keysUnder(store, 'broken/')).toEqual([]);
  });

  test('reports what is missing, and rejects a key that leads elsewhere', async () => {
    const store = storeOf(kind);
    await expect(all(store.read('sets/none'))).rejects.toMatchObject({ name: 'ArchiveStoreError', kind: 'missing' });
    for (const key of ['', '../x', 'a/../b', '/etc/x', 'a//b', 'a/', '.hidden', 'a b', 'x'.repeat(513)])
      await expect(store.write(key, pieces(Buffer.from('x')))).rejects.toThrow(RangeError);
    await expect(keysUnder(store, '../')).rejects.toThrow(RangeError);
  });
});

test('files of a folder are their owner’s alone, and nothing unfinished stays', async () => {
  const folder = path.join(root, 'store');
  expect((await stat(path.join(folder, 'lengths/large.zst'))).mode & 0o777).toBe(0o600);
  expect((await stat(path.join(folder, 'lengths'))).mode & 0o777).toBe(0o700);
  expect(await readdir(path.join(folder, '.unfinished'))).toEqual([]);
});

test('what a process left that was killed goes after a day', async () => {
  const folder = path.join(root, 'left');
  const unfinished = path.join(folder, '.unfinished');
  await mkdir(unfinished, { recursive: true });
  for (const name of ['old', 'new']) await writeFile(path.join(unfinished, name), 'half of something');
  const longAgo = new Date(Date.now() - 25 * 3_600_000);
  await utimes(path.join(unfinished, 'old'), longAgo, longAgo);
  await createArchiveStore(folder, NO_S3).write('a', pieces(Buffer.from('x')));
  expect(await readdir(unfinished)).toEqual(['new']);
});

test('reports a folder that is no folder', async () => {
  const store = createArchiveStore('/dev/null/archive', NO_S3);
  await expect(store.write('a', pieces(Buffer.from('x')))).rejects.toMatchObject({ kind: 'unavailable' });
  const full = createArchiveStore('/dev/full', NO_S3);
  await expect(full.write('a', pieces(Buffer.from('x')))).rejects.toMatchObject({ name: 'ArchiveStoreError' });
});

test('wrong credentials are refused, and a server that does not respond is unavailable', async () => {
  const { endpoint, bucket } = gateway;
  const wrong = { accessKeyId: 'recollect-test', secretAccessKey: 'wrong' };
  const stranger = createArchiveStore(`s3://${bucket}`, { endpoint, region: 'us-east-1', credentials: wrong });
  await expect(stranger.write('a', pieces(Buffer.from('x')))).rejects.toMatchObject({ kind: 'refused' });
  expect(stranger.address).toBe(`s3://${bucket}/`);
});

test('a bucket whose every third request fails stores every object all the same', async () => {
  const proxy = await startFailingProxy(gateway.endpoint, 3);
  try {
    const { bucket, credentials } = gateway;
    const store = createArchiveStore(`s3://${bucket}`, { endpoint: proxy.url, region: 'us-east-1', credentials });
    expect(await store.write('shaky/large', pieces(LARGE))).toEqual({ bytes: LARGE.length, sha256: sha256(LARGE) });
    expect(sha256(await all(store.read('shaky/large')))).toBe(sha256(LARGE));
    expect(await keysUnder(store, 'shaky/')).toEqual(['shaky/large']);
    expect(proxy.failed()).toBeGreaterThan(0);
  } finally {
    await proxy.close();
  }
});
