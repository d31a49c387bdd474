import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ObjectTooLarge, fullValueKey } from '../../../domain/ports/object-store.ts';
import { createDirectoryStore } from '../../../stores/files/directory-store.ts';

let outside: string;
let root: string;

beforeEach(() => {
  outside = mkdtempSync(path.join(tmpdir(), 'recollect-objects-'));
  root = path.join(outside, 'objects');
});
afterEach(() => rmSync(outside, { recursive: true, force: true }));

const bytes = (text: string) => Buffer.from(text, 'utf8');
const filesUnder = (folder: string): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => path.join(entry.parentPath, entry.name))
    : [];
const fileOf = (key: string) => {
  const name = createHash('sha256').update(key, 'utf8').digest('hex');
  return path.join(root, name.slice(0, 2), name.slice(2, 4), name);
};

describe('an object', () => {
  it('comes back as it was put, whatever its bytes', async () => {
    const store = createDirectoryStore(root);
    const all = Uint8Array.from({ length: 512 }, (_, at) => at % 256);
    await store.put('a', all);
    await store.put('empty', new Uint8Array());
    expect([...((await store.get('a')) ?? [])]).toEqual([...all]);
    expect((await store.get('empty'))?.byteLength).toBe(0);
    expect(await createDirectoryStore(root).get('a')).toEqual(Buffer.from(all));
  });

  it('is replaced by the next one under its key, and leaves nothing else behind', async () => {
    const store = createDirectoryStore(root);
    await store.put('a', bytes('one'));
    await store.put('a', bytes('other'));
    expect(await store.get('a')).toEqual(bytes('other'));
    expect(filesUnder(root)).toEqual([fileOf('a')]);
  });

  it('is missing after its deletion, and deleting it again does nothing', async () => {
    const store = createDirectoryStore(root);
    await store.put('a', bytes('one'));
    await store.delete('a');
    expect(await store.get('a')).toBeNull();
    await store.delete('a');
    await store.delete('never there');
    expect(filesUnder(root)).toEqual([]);
  });

  it('that was never put is null, also without a folder', async () => {
    expect(await createDirectoryStore(path.join(outside, 'missing')).get('a')).toBeNull();
    expect(existsSync(path.join(outside, 'missing'))).toBe(false);
  });

  it('is for its owner alone, its folders too', async () => {
    await createDirectoryStore(root).put('a', bytes('x'));
    const file = fileOf('a');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    for (const folder of [path.dirname(file), path.dirname(path.dirname(file)), root])
      expect(statSync(folder).mode & 0o777).toBe(0o700);
  });
});

describe('a key', () => {
  it.each(['../../escape', '/etc/passwd', '..', '.', 'a/../../b', 'a\u0000b', 'ключ/键', 'x'.repeat(512), '\\..\\x'])(
    '%j leads to a file of its own inside the root',
    async (key) => {
      const store = createDirectoryStore(root);
      await store.put(key, bytes('x'));
      expect(await store.get(key)).toEqual(bytes('x'));
      expect(filesUnder(outside)).toEqual([fileOf(key)]);
    },
  );

  it.each(['', 'x'.repeat(513)])('of %# characters too few or too many is refused', async (key) => {
    const store = createDirectoryStore(root);
    await expect(store.put(key, bytes('x'))).rejects.toThrow(RangeError);
    await expect(store.get(key)).rejects.toThrow('a key has 1 to 512 characters');
    await expect(store.delete(key)).rejects.toThrow(RangeError);
    expect(filesUnder(outside)).toEqual([]);
  });

  it('of a full value belongs to its tenant', () => {
    expect(fullValueKey('t1', 'ab')).toBe('tenants/t1/full-values/ab');
    expect(fullValueKey('t2', 'ab')).not.toBe(fullValueKey('t1', 'ab'));
  });
});

describe('what cannot be written', () => {
  it('is refused over the limit, and what was there stays', async () => {
    const store = createDirectoryStore(root, 4);
    await store.put('a', bytes('four'));
    await expect(store.put('a', bytes('fiver'))).rejects.toThrow(ObjectTooLarge);
    await expect(store.put('b', bytes('fiver'))).rejects.toMatchObject({ limitBytes: 4 });
    expect(await store.get('a')).toEqual(bytes('four'));
    expect(filesUnder(root)).toHaveLength(1);
  });

  it('leaves no half of a file behind when its place is taken', async () => {
    const file = fileOf('a');
    mkdirSync(path.join(file, 'in the way'), { recursive: true });
    await expect(createDirectoryStore(root).put('a', bytes('x'))).rejects.toThrow(/EISDIR|ENOTEMPTY|EEXIST/);
    expect(filesUnder(root)).toEqual([]);
  });

  it('and what cannot be read is an error, not nothing', async () => {
    mkdirSync(fileOf('a'), { recursive: true });
    await expect(createDirectoryStore(root).get('a')).rejects.toThrow('EISDIR');
    writeFileSync(path.join(outside, 'file'), '');
    await expect(createDirectoryStore(path.join(outside, 'file')).put('a', bytes('x'))).rejects.toThrow('ENOTDIR');
  });

  it('does not loosen a root that is there', async () => {
    mkdirSync(root, { mode: 0o700 });
    chmodSync(root, 0o500);
    try {
      await createDirectoryStore(root)
        .put('a', bytes('x'))
        .catch(() => undefined);
      expect(statSync(root).mode & 0o777).toBe(0o500);
    } finally {
      chmodSync(root, 0o700);
    }
  });
});

it('many writers of one key leave one complete object', async () => {
  const store = createDirectoryStore(root);
  const texts = Array.from({ length: 20 }, (_, at) => String(at).repeat(10_000 + at));
  await Promise.all([
    ...texts.map((text) => store.put('a', bytes(text))),
    ...texts.map(async () => {
      const seen = await store.get('a');
      expect(['', ...texts]).toContain(Buffer.from(seen ?? []).toString('utf8'));
    }),
  ]);
  expect(texts).toContain(Buffer.from((await store.get('a')) ?? []).toString('utf8'));
  expect(filesUnder(root)).toHaveLength(1);
});
