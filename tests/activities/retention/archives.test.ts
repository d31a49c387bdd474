import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { archiveSession, restoreArchive } from '../../../activities/retention/archive-session.ts';
import { stepGroup } from '../../../activities/retention/step.ts';
import { fullValueKey } from '../../../domain/ports/object-store.ts';
import { createDirectoryArchive } from '../../../stores/archive/directory.ts';
import { listArchives, readArchive, removeArchive } from '../../../stores/postgres/retention/archives.ts';
import { approveRun } from '../../../stores/postgres/retention/retention-runs.ts';
import type { TestUser } from '../../setup/database.ts';
import { rule, fileRetention } from './support/kit.ts';
import { daysAgo, makeOldSession } from './support/old-rows.ts';

const { kit, user, stranger } = fileRetention();

/** Returns everything of a session that an archive must restore, as text. */
async function contentOf(sessionId: string): Promise<Record<string, unknown>> {
  const tables = ['prompts', 'observations', 'boundaries', 'windows', 'summaries', 'capture_keys', 'entity_mentions'];
  const found: Record<string, unknown> = {};
  for (const table of tables) {
    const rows = await kit.db.rows<{ n: string; hash: string }>(
      `SELECT count(*) AS n, md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) AS hash FROM ${table} t WHERE session_id = $1`,
      [sessionId],
    );
    found[table] = rows[0];
  }
  return found;
}

describe('an archived session', () => {
  async function archived(rows = 3, content = 'the build failed') {
    const old = await makeOldSession(kit.db, user, { at: daysAgo(400), rows, content });
    await kit.setPolicies([rule('session', 365, { action: 'archive' }), rule('observation', 30)]);
    const before = await contentOf(old.id);
    const { planned, done } = await kit.dryThenRun();
    expect(done).toEqual(planned);
    expect(done).toMatchObject([{ resource: 'session', action: 'archive', rows: 1 }]);
    const archive = await kit.db.database.asTenant(user.tenantId, (transaction) => readArchive(transaction, old.id));
    if (archive === null) throw new Error('the session was not archived');
    return { old, before, archive };
  }
  const restore = (id: string) => {
    const { archives } = kit.parts;
    if (archives === null) throw new Error('there is no store');
    return restoreArchive({ ...kit.parts, archives }, user.tenantId, id, new AbortController().signal);
  };

  test('is found in its own tenant by its index row and restored unchanged', async () => {
    const { old, before, archive } = await archived();
    expect(await kit.rowsOf(old.id)).toEqual({ prompts: 0, observations: 0, keys: 7, removing: 6 });
    expect(await kit.count('summaries WHERE session_id = $1', [old.id])).toBe(0);
    expect(await kit.count("sessions WHERE id = $1 AND status = 'archived'", [old.id])).toBe(1);
    const find = (question: string, whose: TestUser) =>
      kit.db.database.asTenant(whose.tenantId, (transaction) =>
        listArchives(transaction, whose.tenantId, { question, limit: 10, offset: 0 }),
      );
    expect(await find('repaired linker', user)).toMatchObject({
      total: 1,
      archives: [{ id: archive.id, counts: { prompts: 3 } }],
    });
    expect(await find('unheard', user)).toEqual({ archives: [], total: 0 });
    expect(await find('linker', stranger)).toEqual({ archives: [], total: 0 });
    expect(await restore(archive.id)).toBe(true);
    expect(await contentOf(old.id)).toEqual(before);
    expect(await kit.count("embeddings WHERE session_id = $1 AND state = 'pending'", [old.id])).toBe(6);
    expect(await kit.count("sessions WHERE id = $1 AND status = 'ended' AND observation_count = 3", [old.id])).toBe(1);
    expect(await find('linker', user)).toEqual({ archives: [], total: 0 });
    // It is not archived again at once.
    const again = await kit.open('run');
    await kit.finish(again);
    expect((await kit.countsOf(again)).filter((each) => each.resource === 'session')).toEqual([]);
  });

  test('that is damaged is not restored and retains its index row', async () => {
    const { old, archive } = await archived();
    const file = path.join(kit.folder, 'archive', archive.objectKey);
    const bytes = readFileSync(file);
    bytes[Math.floor(bytes.length / 2)] = (bytes[Math.floor(bytes.length / 2)] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    await expect(restore(archive.id)).rejects.toThrow(/archive/i);
    expect((await kit.rowsOf(old.id)).prompts).toBe(0);
    expect(await kit.count('archives WHERE id = $1', [archive.id])).toBe(1);
    const { archives, database, objects } = kit.parts;
    if (archives === null) throw new Error('there is no store');
    expect(await removeArchive({ database, archives, objects }, user.tenantId, old.id)).toBe(true);
    expect([existsSync(file), await removeArchive({ database, archives, objects }, user.tenantId, old.id)]).toEqual([
      false,
      false,
    ]);
  });

  test('retains its rows if the store rejects them', async () => {
    const old = await makeOldSession(kit.db, user, { at: daysAgo(400), rows: 2 });
    await kit.setPolicies([rule('session', 365, { action: 'archive' }), rule('observation', 30)]);
    const dry = await kit.open('dry_run');
    await kit.finish(dry);
    await kit.db.database.asTenant(user.tenantId, (transaction) => approveRun(transaction, dry, user.userId));
    const run = await kit.open('run');
    writeFileSync(path.join(kit.folder, 'no-folder'), '');
    const full = { ...kit.parts, archives: createDirectoryArchive(path.join(kit.folder, 'no-folder')) };
    await expect(stepGroup(full, run, 60_000, new AbortController().signal)).rejects.toThrow(
      /ENOTDIR|EEXIST|archive|store|folder/i,
    );
    expect(await kit.rowsOf(old.id)).toMatchObject({ prompts: 2, observations: 2 });
    await kit.finish(run);
    expect(await kit.rowsOf(old.id)).toMatchObject({ prompts: 0, observations: 0 });
    expect(await kit.countsOf(run)).toEqual(await kit.countsOf(dry));
  });

  test('that fails is reported and does not block others', async () => {
    const { old, archive } = await archived();
    writeFileSync(path.join(kit.folder, 'archive', archive.objectKey), 'no archive');
    // It continued, and that is long ago as well.
    await kit.db.write("UPDATE sessions SET status = 'ended' WHERE id = $1", [old.id]);
    const other = await makeOldSession(kit.db, user, { at: daysAgo(400), rows: 2 });
    const run = await kit.open('run');
    await kit.finish(run);
    expect([await kit.stateOf(run), await kit.errorOf(run)]).toEqual(['completed', 'ArchiveDamaged']);
    expect(await kit.count('archives WHERE id = $1', [archive.id])).toBe(1);
    expect(await kit.count("sessions WHERE id = $1 AND status = 'archived'", [other.id])).toBe(1);
  });

  test('is not expired if it continued or another process has its lock', async () => {
    const old = await makeOldSession(kit.db, user, { at: daysAgo(400), rows: 2 });
    const { archives } = kit.parts;
    if (archives === null) throw new Error('there is no store');
    const archive = (mark: string) =>
      archiveSession(
        { ...kit.parts, archives },
        { id: old.id, tenantId: user.tenantId, mark },
        async () => {},
        new AbortController().signal,
      );
    const rows = await kit.db.rows<{ last_seq: number }>('SELECT last_seq FROM sessions WHERE id = $1', [old.id]);
    const seq = rows[0]?.last_seq ?? 0;
    expect(await archive(`ended ${seq - 1}`)).toBeNull();
    const holder = await kit.maintenance.connect();
    const name = `archive ${old.id}`;
    await holder.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [name]);
    expect(await archive(`ended ${seq}`)).toBeNull();
    await holder.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [name]);
    holder.release();
    expect(await kit.rowsOf(old.id)).toMatchObject({ prompts: 2, observations: 2 });
    expect(await archive(`ended ${seq}`)).toBeGreaterThan(0);
  });

  test('that expires is deleted with its archive', async () => {
    const hash = 'b'.repeat(64);
    const key = fullValueKey(user.tenantId, hash);
    await kit.parts.objects?.put(key, new TextEncoder().encode('full value'));
    const { old, archive } = await archived(3, `bytes in all (sha256:${hash}), the middle is left out `);
    expect(await kit.parts.objects?.get(key)).not.toBeNull();
    await kit.setPolicies([rule('session', 380)]);
    const { planned, done } = await kit.dryThenRun();
    expect(done).toMatchObject([{ resource: 'session', action: 'delete', rows: 1 }]);
    expect(planned).toEqual(done);
    expect(await kit.rowsOf(old.id)).toMatchObject({ keys: 0 });
    expect(existsSync(path.join(kit.folder, 'archive', archive.objectKey))).toBe(false);
    expect(await kit.parts.objects?.get(key)).toBeNull();
    expect(await kit.count("tombstones WHERE external_id = $1 AND key_sha256 = sha256('session')", [old.id])).toBe(1);
  });
});
