import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { entrySha256, erasedName, journalKey } from '../../../domain/erasure/erasure-journal.ts';
import type { JournalHead, JournalRecord } from '../../../domain/erasure/erasure-journal.ts';
import type { ArchiveStore } from '../../../domain/ports/archive-store.ts';
import { createDirectoryArchive } from '../../../stores/archive/directory.ts';
import { journalObject, publicKeyOf } from '../../../stores/archive/journal-entry.ts';
import { readJournals } from '../../../stores/archive/journal.ts';
import type { JournalReading } from '../../../stores/archive/journal.ts';

const newKey = (): Buffer => generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' });
const MINE = newKey();
const OTHER_KEY = newKey();
const JOURNAL = randomUUID();
const AT = '2026-01-02T03:04:05.000Z';

let folder: string;
let store: ArchiveStore;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'recollect-journal-'));
  store = createDirectoryArchive(folder);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function* once(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

const erasing = (id: string): JournalRecord => ({
  kind: 'session',
  erasure_id: randomUUID(),
  tenant_id: randomUUID(),
  names: [erasedName('session', id)],
});

interface Chain {
  readonly head: JournalHead;
  readonly objects: readonly { readonly key: string; readonly text: string }[];
}

/** Writes a journal of these records after the entry that opens it. */
async function journalOf(records: readonly JournalRecord[], key = MINE, journal: string = JOURNAL): Promise<Chain> {
  const objects: { key: string; text: string }[] = [];
  let previous: string | null = null;
  for (const [at, record] of [{ kind: 'opened' } as const, ...records].entries()) {
    const written: { text: string; object: string } = journalObject(
      { version: 1, journal, sequence: at + 1, previous, at: AT, record },
      key,
    );
    previous = entrySha256(written.text);
    objects.push({ key: journalKey(journal, at + 1), text: written.object });
    await store.write(journalKey(journal, at + 1), once(written.object));
  }
  return { head: { journal, entries: objects.length, last: previous ?? '' }, objects };
}

const read = (given: Partial<JournalReading> = {}) =>
  readJournals({
    stores: [store],
    isTrusted: (publicKey) => publicKey === publicKeyOf(MINE),
    heads: [],
    own: [],
    ...given,
  });

test('follows every erasure of a complete journal, but not one that was called off', async () => {
  const [first, second, third] = [erasing('a'), erasing('b'), erasing('c')];
  const off = { kind: 'withdrawn', erasure_id: 'erasure_id' in second ? second.erasure_id : '' } as const;
  const { head } = await journalOf([first, second, off, third]);
  const { erasures, account } = await read({ heads: [head] });
  expect(erasures).toMatchObject([first, third]);
  expect(account).toEqual({ erasures: 2, faults: {}, examples: [] });
});

test('reports unsigned, foreign, misplaced and unreadable entries, and follows none of them', async () => {
  const { head, objects } = await journalOf([erasing('a')]);
  const bare = {
    id: randomUUID(),
    at: AT,
    tenant_id: randomUUID(),
    kind: 'tenant',
    names: [erasedName('tenant', 'x')],
  };
  await store.write(`erasures/${bare.id}.json`, once(JSON.stringify(bare)));
  const changed = JSON.parse(objects[1]?.text ?? '') as { entry: string };
  const text = JSON.stringify({ ...changed, entry: changed.entry.replace('"session"', '"tenant"') });
  await store.write(journalKey(JOURNAL, 3), once(text));
  await journalOf([erasing('b')], OTHER_KEY, randomUUID());
  // A true entry, of this very journal, at another place, and in a journal of its own.
  await store.write(journalKey(JOURNAL, 4), once(objects[1]?.text ?? ''));
  await store.write(journalKey(randomUUID(), 2), once(objects[1]?.text ?? ''));
  await store.write('erasures/half.json', once('{"entry": "{'));
  writeFileSync(path.join(folder, 'erasures', 'huge.json'), Buffer.alloc(3 * 1024 * 1024, '['));
  writeFileSync(path.join(folder, 'erasures', 'not a journal key\u001b[2J.json'), '{}');
  const { erasures, account } = await read({ heads: [head] });
  expect(erasures).toHaveLength(1);
  expect(account.faults).toEqual({ unsigned: 2, foreign: 2, misplaced: 2, unreadable: 3 });
  expect(JSON.stringify(account.examples)).not.toContain('u001b');
});

test('notices entries that are missing, at the end and in the middle, and one that was put in another’s place', async () => {
  const { head, objects } = await journalOf([erasing('a'), erasing('b'), erasing('c'), erasing('d')]);
  await store.remove(objects[4]?.key ?? '');
  expect((await read()).account.faults).toEqual({});
  expect((await read({ heads: [head] })).account.faults).toEqual({ missing: 1 });
  await store.remove(objects[2]?.key ?? '');
  const { erasures, account } = await read({ heads: [head] });
  expect(account).toMatchObject({
    faults: { missing: 2 },
    examples: [`missing: ${objects[2]?.key}`, `missing: ${objects[4]?.key}`],
  });
  expect(erasures).toHaveLength(2);
  // As of a database that was taken back by other means, and wrote its third entry anew.
  const { object } = journalObject(
    { version: 1, journal: JOURNAL, sequence: 3, previous: null, at: AT, record: erasing('e') },
    MINE,
  );
  await store.write(objects[2]?.key ?? '', once(object));
  expect((await read({ heads: [head] })).account.faults).toEqual({ missing: 1, replaced: 2 });
});

test('believes what the instance wrote itself, also where the store has lost it, and knows its keys of before', async () => {
  const { head, objects } = await journalOf([erasing('a'), erasing('b')], OTHER_KEY);
  const own = objects.map(({ text }, at) => ({ journal: JOURNAL, sequence: at + 1, object: text }));
  await store.remove(objects[2]?.key ?? '');
  const { erasures, account } = await read({ heads: [head], own });
  expect(erasures).toHaveLength(2);
  expect(account.faults).toEqual({ missing: 1 });
});
