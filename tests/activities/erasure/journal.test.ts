import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type pg from 'pg';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openJournal, writeToJournal } from '../../../activities/erasure/journal.ts';
import type { JournalDependencies } from '../../../activities/erasure/journal.ts';
import { newId } from '../../../domain/ids.ts';
import { erasedName } from '../../../domain/erasure/erasure-journal.ts';
import { createDirectoryArchive } from '../../../stores/archive/directory.ts';
import { readJournals } from '../../../stores/archive/journal.ts';
import { publicKeyOf } from '../../../stores/archive/journal-entry.ts';
import { storedHead } from '../../../stores/postgres/erasure/erasure-journal.ts';
import { createTestDatabase } from '../../setup/database.ts';
import type { TestDatabase } from '../../setup/database.ts';
import { maintenancePool } from '../export-import/support/lines-of.ts';

const WRITERS = 20;
const signingKey = generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' });
const { signal } = new AbortController();

let db: TestDatabase;
let pools: pg.Pool[];
let folder: string;

beforeEach(async () => {
  db = await createTestDatabase();
  pools = [maintenancePool(db), maintenancePool(db)];
  folder = mkdtempSync(path.join(tmpdir(), 'recollect-journal-'));
});
afterEach(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  await db.close();
  rmSync(folder, { recursive: true, force: true });
});

const storeOf = (name: string) => createDirectoryArchive(path.join(folder, name));

function journalOf(at: number, names = ['store', 'copy']): JournalDependencies {
  const maintenance = pools[at % pools.length];
  if (maintenance === undefined) throw new Error('no pool');
  return { maintenance, journals: names.map(storeOf), signingKey };
}

const erasing = (id: string) => ({
  kind: 'session' as const,
  erasure_id: newId(),
  tenant_id: newId(),
  names: [erasedName('session', id)],
});

/** Returns the entries that a new machine reads from one of the stores. */
async function found(name: string) {
  const head = await storedHead(journalOf(0).maintenance);
  return readJournals({
    stores: [storeOf(name)],
    isTrusted: (publicKey) => publicKey === publicKeyOf(signingKey),
    heads: head === null ? [] : [head],
    own: [],
  });
}

test('chains entries of concurrent writers without gaps in every store', async () => {
  const records = Array.from({ length: WRITERS }, (_, at) => erasing(String(at)));
  await Promise.all(records.map((record, at) => writeToJournal(journalOf(at), record, new Date(), signal)));
  for (const name of ['store', 'copy'])
    expect((await found(name)).account).toEqual({ erasures: WRITERS, faults: {}, examples: [] });
  expect(await storedHead(journalOf(0).maintenance)).toMatchObject({ entries: WRITERS + 1 });
});

test('stores an entry after an unavailable store once, and no manifest contains it before', async () => {
  await openJournal(journalOf(0), signal);
  // A file at the path of the folder blocks the store.
  writeFileSync(path.join(folder, 'blocked'), '');
  const record = erasing('a');
  await expect(writeToJournal(journalOf(0, ['store', 'blocked']), record, new Date(), signal)).rejects.toMatchObject({
    name: 'ArchiveStoreError',
  });
  expect(await storedHead(journalOf(0).maintenance)).toMatchObject({ entries: 1 });
  await writeToJournal(journalOf(1), record, new Date(), signal);
  expect((await found('copy')).account).toEqual({ erasures: 1, faults: {}, examples: [] });
  expect(await storedHead(journalOf(0).maintenance)).toMatchObject({ entries: 2 });
});

test('withdraws a cancelled erasure and does not repeat it', async () => {
  const [off, on] = [erasing('a'), erasing('b')];
  for (const record of [off, on, { kind: 'withdrawn' as const, erasure_id: off.erasure_id }])
    await writeToJournal(journalOf(0), record, new Date(), signal);
  const { erasures, account } = await found('store');
  expect(erasures).toMatchObject([on]);
  expect(account.faults).toEqual({});
});
