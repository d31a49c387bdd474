import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import type { Manifest } from '../../../activities/backup/manifest.ts';
import { setsToPrune } from '../../../domain/backup/sets.ts';
import { fileKey, manifestKey, setOfKey, tableFileKey } from '../../../domain/backup/set-keys.ts';
import { publicKeyOf, readSignedManifest, signManifest } from '../../../activities/backup/manifest.ts';

const signer = (): Buffer => generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' });
const MINE = signer();
const OTHER = signer();

const manifest: Manifest = {
  format: 1,
  id: randomUUID(),
  snapshotAt: '2026-11-22T08:00:00.000Z',
  finishedAt: '2026-11-22T08:00:01.000Z',
  recollectVersion: '0.1.0',
  migrations: ['0001_baseline'],
  functions: null,
  postgresVersion: '18.4',
  compression: 'zstd',
  encryption: null,
  tables: [],
  vectors: [],
  queries: [],
  journal: null,
  audit: [],
};

describe('a manifest', () => {
  test('is read if signed by the own or a trusted key', () => {
    const trusted = [publicKeyOf(MINE)];
    expect(readSignedManifest(signManifest(manifest, MINE), trusted)).toEqual(manifest);
    expect(() => readSignedManifest(signManifest(manifest, OTHER), trusted)).toThrow(
      expect.objectContaining({ kind: 'untrusted' }),
    );
  });

  test('with a changed character has an invalid signature', () => {
    const text = signManifest(manifest, MINE);
    const trusted = [publicKeyOf(MINE)];
    for (const changed of [text.replace('18.4', '18.5'), text.slice(0, -1), '{}', '']) {
      expect(changed).not.toBe(text);
      expect(() => readSignedManifest(changed, trusted)).toThrow(expect.objectContaining({ kind: 'damaged' }));
    }
    // Signed again by another key.
    const signed = JSON.parse(text) as { publicKey: string };
    expect(() => readSignedManifest(JSON.stringify({ ...signed, publicKey: 'AAAA' }), ['AAAA'])).toThrow(
      expect.objectContaining({ kind: 'damaged' }),
    );
  });
});

describe('keys', () => {
  test('contain the id of their backup', () => {
    const { id } = manifest;
    expect(setOfKey(manifestKey(id))).toBe(id);
    expect(setOfKey(fileKey(id, tableFileKey('prompts', 3)))).toBe(id);
    expect(fileKey(id, tableFileKey('prompts', 3))).toBe(`sets/${id}/tables/prompts/3.copy.zst`);
    expect(setOfKey(`erasures/${id}.json`)).toBeNull();
    expect(setOfKey('sets/other/manifest.json')).toBeNull();
  });
});

describe('pruning', () => {
  const now = new Date('2026-11-22T00:00:00Z');
  const set = (id: string, days: number) => ({ id, at: new Date(now.getTime() - days * 86_400_000) });
  const rule = { keepDays: 30, keepLast: 2, lastGood: null };
  const pruned = (
    sets: ReturnType<typeof set>[],
    change: Partial<{ keepDays: number; keepLast: number; lastGood: string | null }> = {},
  ) => setsToPrune(sets, { ...rule, ...change }, now).map(({ id }) => id);

  test('removes backups older than the days, except the last ones', () => {
    expect(pruned([set('d', 40), set('a', 1), set('c', 29), set('b', 2), set('e', 50)])).toEqual(['d', 'e']);
    expect(pruned([set('c', 60), set('a', 40), set('b', 50)])).toEqual(['c']);
    expect(pruned([set('a', 400)], { keepLast: 0 })).toEqual([]);
    expect(pruned([])).toEqual([]);
  });

  test('never removes the last verified backup', () => {
    expect(pruned([set('a', 1), set('b', 2), set('c', 60), set('d', 70)], { lastGood: 'c' })).toEqual(['d']);
  });
});
