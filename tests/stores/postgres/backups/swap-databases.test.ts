import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { recoverSwap } from '../../../../infra/bootstrap/database.ts';
import { asMaintenance, createEmptyDatabase } from '../../../../stores/postgres/backups/restored-database.ts';
import { swapDatabases, swapState, undoSwap } from '../../../../stores/postgres/backups/swap-databases.ts';
import { fileDatabase } from '../../../setup/database.ts';
import { until } from '../../../setup/until.ts';

const db = fileDatabase();

describe('a swap', () => {
  const running = `swap_${randomBytes(6).toString('hex')}`;
  const server = {
    restoreUrl: '',
    maintenanceUrl: '',
  };
  const names = { running, built: `${running}_restore_a`, replaced: `${running}_replaced_a` };
  const made = async (): Promise<string[]> => {
    const rows = await db.rows<{ datname: string }>(
      'SELECT datname FROM pg_database WHERE starts_with(datname, $1) AND datallowconn ORDER BY 1',
      [running],
    );
    return rows.map(({ datname }) => datname);
  };
  beforeAll(async () => {
    server.restoreUrl = db.url('restore').replace(/[^/]*$/, 'postgres');
    server.maintenanceUrl = db.url('maintenance').replace(/[^/]*$/, running);
  });
  afterAll(async () => {
    for (const name of Object.values(names)) await db.superuser.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  });

  test('resumes after an interruption, completes once, and can be undone', async () => {
    await createEmptyDatabase(server, running);
    await createEmptyDatabase(server, names.built);
    // The swap terminates open connections.
    const inside = new pg.Client({ connectionString: server.maintenanceUrl });
    inside.on('error', () => undefined);
    await inside.connect();
    await expect(swapDatabases(server, names, () => Promise.reject(new Error('killed')))).rejects.toThrow('killed');
    expect(await swapState(server, names)).toBe('between');
    await undoSwap(server, names);
    expect(await made()).toEqual([running, names.built].sort());
    await expect(swapDatabases(server, names, () => Promise.reject(new Error('killed')))).rejects.toThrow('killed');
    // Killed before the last rename: the built database accepts no connections.
    await db.superuser.query(`ALTER DATABASE ${names.built} ALLOW_CONNECTIONS false`);
    await swapDatabases(server, names, () => asMaintenance(server, names.built, async () => {}));
    expect(await made()).toEqual([running, names.replaced].sort());
    await swapDatabases(server, names, () => Promise.reject(new Error('not done twice')));
    expect(await swapState(server, names)).toBe('completed');
    await expect(inside.query('SELECT 1')).rejects.toThrow(/connection|not queryable/i);
  });

  test('is undone at start if the instance was killed during it', async () => {
    const cut = { running, built: `${running}_restore_c`, replaced: `${running}_replaced_c` };
    await createEmptyDatabase(server, cut.built);
    await expect(swapDatabases(server, cut, () => Promise.reject(new Error('killed')))).rejects.toThrow('killed');
    const superuser = await db.superuser.connect();
    try {
      await recoverSwap(superuser, running);
      expect(await made()).toEqual([running, names.replaced, cut.built].sort());
      await superuser.query(`ALTER DATABASE ${running} ALLOW_CONNECTIONS false`);
      await recoverSwap(superuser, running);
      expect(await swapState(server, cut)).toBe('ready');
      expect(await made()).toContain(running);
    } finally {
      superuser.release();
      await db.superuser.query(`DROP DATABASE ${cut.built} WITH (FORCE)`);
    }
  });

  test('waits for connections that it may not terminate, and fails if the built database is missing', async () => {
    const other = { running, built: `${running}_restore_b`, replaced: `${running}_replaced_b` };
    await expect(swapState(server, other)).rejects.toThrow('does not exist');
    await createEmptyDatabase(server, other.built);
    const superuser = new pg.Client({ connectionString: db.url('superuser').replace(/[^/]*$/, running) });
    await superuser.connect();
    const swapped = swapDatabases(server, other, () => Promise.resolve());
    await until(async () => ((await made()).includes(running) ? undefined : true));
    await superuser.end();
    await swapped;
    expect(await made()).toEqual([running, names.replaced, other.replaced].sort());
    // A lost workflow built the same restore again: the running database is not replaced a second time.
    await createEmptyDatabase(server, other.built);
    await expect(swapState(server, other)).rejects.toThrow('already replaced');
    for (const name of [other.built, other.replaced]) await db.superuser.query(`DROP DATABASE ${name} WITH (FORCE)`);
  });
});
