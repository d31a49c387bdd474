import { MockActivityEnvironment } from '@temporalio/testing';
import pg from 'pg';
import { beforeEach, expect, test } from 'vitest';
import { eraseStrays } from '../../../activities/erasure/archived.ts';
import { archiveSession, restoreArchive, withArchiveLock } from '../../../activities/retention/archive-session.ts';
import { createRetentionActivities } from '../../../activities/retention/create-retention-activities.ts';
import { createForgetting } from '../../../api/memories/forgetting.ts';
import { newId } from '../../../domain/ids.ts';
import { ArchiveStoreError } from '../../../domain/ports/archive-store.ts';
import type { ArchiveStore } from '../../../domain/ports/archive-store.ts';
import { removeStrays } from '../../../stores/postgres/retention/archive-strays.ts';
import { readArchive, removeArchive } from '../../../stores/postgres/retention/archives.ts';
import { fileRetention } from './support/kit.ts';
import { daysAgo, makeOldSession } from './support/old-rows.ts';
import type { OldSession } from './support/old-rows.ts';

const ROWS = 3;
const { signal } = new AbortController();
const { kit, user } = fileRetention();
let old: OldSession;

beforeEach(async () => {
  old = await makeOldSession(kit.db, user, { at: daysAgo(400), rows: ROWS });
});

/** The store as a worker finds it that is killed, or cut off from it, at one of its calls. */
function storeWith(change: Partial<ArchiveStore>): ArchiveStore {
  return { ...kit.archives, ...change };
}

const unavailable = () => Promise.reject(new ArchiveStoreError('unavailable', 'the store is unavailable'));

/** A worker killed after it wrote its object: it neither deletes rows nor objects. */
const killedAfterWriting = () =>
  storeWith({
    write: async (...given) => {
      await kit.archives.write(...given);
      return unavailable();
    },
    remove: unavailable,
  });

async function archive(
  archives: ArchiveStore = kit.archives,
  maintenance: pg.Pool = kit.maintenance,
  counted: () => Promise<void> = async () => {},
): Promise<number | null> {
  const session = { id: old.id, tenantId: user.tenantId, mark: `ended ${ROWS * 2 + 1}` };
  return archiveSession({ ...kit.parts, archives, maintenance }, session, counted, signal);
}

const restore = (id: string, archives: ArchiveStore = kit.archives) =>
  restoreArchive({ ...kit.parts, archives }, user.tenantId, id, signal);

const clear = () => removeStrays({ ...kit.parts, archives: kit.archives }, null, signal);

const lineOf = () => kit.db.database.asTenant(user.tenantId, (transaction) => readArchive(transaction, old.id));

/** Returns the keys of the session's objects. */
async function objects(): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key } of kit.archives.list(`archives/${user.tenantId}/`)) keys.push(key);
  return keys;
}

const present = { prompts: ROWS, observations: ROWS };
const taken = { prompts: 0, observations: 0 };

test('a restore interrupted before the object is removed is completed by the next attempt', async () => {
  await archive();
  const line = await lineOf();
  await expect(restore(line?.id ?? '', storeWith({ remove: unavailable }))).rejects.toThrow('unavailable');
  expect(await kit.rowsOf(old.id)).toMatchObject(present);
  expect(await objects()).toEqual([line?.objectKey]);
  expect(await restore(line?.id ?? '')).toBe(true);
  expect([await objects(), await lineOf()]).toEqual([[], null]);
  expect(await kit.rowsOf(old.id)).toMatchObject(present);
});

test('a restore interrupted after the object is removed is completed, even without another attempt', async () => {
  await archive();
  const line = await lineOf();
  const killed = storeWith({
    remove: async (key) => {
      await kit.archives.remove(key);
      await unavailable();
    },
  });
  await expect(restore(line?.id ?? '', killed)).rejects.toThrow('unavailable');
  expect(await restore(line?.id ?? '')).toBe(true);
  expect([await objects(), await lineOf()]).toEqual([[], null]);
  await kit.db.write("UPDATE sessions SET metadata = '{}' WHERE id = $1", [old.id]);
  expect(await archive()).toBeGreaterThan(0);
  await expect(restore(old.id, storeWith({ remove: unavailable }))).rejects.toThrow('unavailable');
  await clear();
  expect([await objects(), await lineOf()]).toEqual([[], null]);
  expect(await kit.rowsOf(old.id)).toMatchObject(present);
});

test('the lock of a failed attempt is free as soon as its failure is reported', async () => {
  for (let attempt = 0; attempt < 20; attempt += 1) {
    // Two open connections: the next attempt gets the second one at once.
    await Promise.all([kit.maintenance.query('SELECT 1'), kit.maintenance.query('SELECT 1')]);
    await expect(withArchiveLock(kit.maintenance, old.id, unavailable)).rejects.toThrow('unavailable');
    expect(await withArchiveLock(kit.maintenance, old.id, (client) => Promise.resolve(client !== null))).toBe(true);
  }
});

test('a stray object is removed with its session or by the next run', async () => {
  await expect(archive(killedAfterWriting())).rejects.toThrow('unavailable');
  await expect(archive(killedAfterWriting())).rejects.toThrow('unavailable');
  expect([(await objects()).length, await lineOf()]).toEqual([2, null]);
  await clear();
  expect(await objects()).toEqual([]);
  expect(await kit.rowsOf(old.id)).toMatchObject(present);
  await expect(archive(killedAfterWriting())).rejects.toThrow('unavailable');
  expect(await removeArchive({ ...kit.parts }, user.tenantId, old.id)).toBe(true);
  expect(await objects()).toEqual([]);
  expect(await removeArchive({ ...kit.parts }, user.tenantId, old.id)).toBe(false);
});

test('forgetting a session removes its archive, after an unavailable store in the next run', async () => {
  const forget = (archives: ArchiveStore) =>
    createForgetting({
      database: kit.db.database,
      objects: kit.parts.objects,
      archives,
      workflowHints: kit.parts.hints,
    }).session(
      {
        ...user,
        credential: { kind: 'key', id: newId() },
        role: 'admin',
        scopes: ['admin'],
        isOperator: false,
        expiresAt: null,
        login: null,
        requestsPerMinute: null,
        bounds: null,
      },
      old.id,
      false,
    );
  await expect(archive(killedAfterWriting())).rejects.toThrow('unavailable');
  await forget(kit.archives);
  expect(await objects()).toEqual([]);
  old = await makeOldSession(kit.db, user, { at: daysAgo(400), rows: ROWS });
  await expect(archive(killedAfterWriting())).rejects.toThrow('unavailable');
  await forget(storeWith({ remove: unavailable }));
  expect(await objects()).toHaveLength(1);
  const run = createRetentionActivities(kit.parts);
  const groupId = newId();
  // No tenant has policies.
  expect(await run.openRetention({ groupId })).toEqual({ runs: 1 });
  await new MockActivityEnvironment().run(() => run.stepRetention({ groupId }));
  expect(await objects()).toEqual([]);
});

test('a failed attempt leaves no object, and none leaves an index row of a cleared session', async () => {
  const failing = () => Promise.reject(new Error('not counted'));
  await expect(archive(kit.archives, kit.maintenance, failing)).rejects.toThrow('not counted');
  expect([await objects(), await lineOf()]).toEqual([[], null]);
  const slow = storeWith({
    async *read(...given) {
      // Before the reader has all bytes: it does not wait for the end of the source.
      const pieces: Uint8Array[] = [];
      for await (const piece of kit.archives.read(...given)) pieces.push(piece);
      await clear();
      yield* pieces;
    },
  });
  expect(await archive(slow)).toBeNull();
  expect([await objects(), await lineOf()]).toEqual([[], null]);
  expect(await kit.rowsOf(old.id)).toMatchObject(present);
});

test('does not remove possible only copies or objects of another database', async () => {
  await archive();
  const line = await lineOf();
  const other = `archives/${user.tenantId}/${old.id}.018f0000-0000-7000-8000-000000000001.ndjson.zst`;
  const unknown = `archives/${user.tenantId}/018f0000-0000-7000-8000-000000000002.ndjson.zst`;
  for (const key of [other, unknown]) await kit.archives.write(key, kit.archives.read(line?.objectKey ?? ''));
  await kit.archives.remove(line?.objectKey ?? '');
  expect(await clear()).toEqual([other]);
  expect(new Set(await objects())).toEqual(new Set([other, unknown]));
  const erase = (text: string) =>
    eraseStrays({ scope: kit.db.database, archive: kit.archives, fullValues: null }, user.tenantId, text, signal);
  await erase('not in any archive');
  expect(await objects()).toHaveLength(2);
  await erase('the build failed');
  expect(await objects()).toEqual([unknown]);
  for (const key of [other, line?.objectKey ?? '']) await kit.archives.write(key, kit.archives.read(unknown));
  expect(await clear()).toEqual([]);
  expect(new Set(await objects())).toEqual(new Set([line?.objectKey, unknown]));
});

test('an attempt that lost its lock neither loses rows nor deletes those of the next one', async () => {
  const first = new pg.Pool({ connectionString: kit.db.url('maintenance'), max: 1, application_name: 'lost-lock' });
  first.on('error', () => undefined);
  let isFirstDone: (() => void) | undefined;
  const done = new Promise<void>((resolve) => {
    isFirstDone = resolve;
  });
  let next: Promise<number | null> | undefined;
  // The next attempt has written its object when the first continues, and verifies it until the first ends.
  const slow = storeWith({
    async *read(...given) {
      await kit.db.maintenance.query(
        "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'lost-lock'",
      );
      await new Promise<void>((resolve, reject) => {
        const waiting = storeWith({
          async *read(...more) {
            resolve();
            await done;
            yield* kit.archives.read(...more);
          },
        });
        next = archive(waiting);
        next.then(() => reject(new Error('the next one did not get so far')), reject);
      });
      yield* kit.archives.read(...given);
    },
  });
  try {
    expect(await archive(slow, first)).toBeGreaterThan(0);
  } finally {
    isFirstDone?.();
  }
  expect(await next).toBeNull();
  expect(await kit.rowsOf(old.id)).toMatchObject(taken);
  expect(await objects()).toEqual([(await lineOf())?.objectKey]);
  expect(await restore(old.id)).toBe(true);
  expect(await kit.rowsOf(old.id)).toMatchObject(present);
  await first.end();
});
