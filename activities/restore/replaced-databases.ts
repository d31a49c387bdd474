import type pg from 'pg';
import { asCreator, restoreNames } from '../../stores/postgres/backups/restored-database.ts';
import type { RestoreServer } from '../../stores/postgres/backups/restored-database.ts';
import { replacedBefore } from '../../stores/postgres/backups/restores.ts';

/** Somebody is inside: who may not be sent away (insufficient_privilege, object_in_use). */
const STAYS: ReadonlySet<string> = new Set(['42501', '55006']);

function sqlState(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/**
 * Drops the databases that restores replaced longer ago than so many days: what was erased since is in them still. Databases that no restore of this instance tells of are
 * left alone, and so is one that somebody is connected to who may not be sent away: the next restore or drill comes to it again.
 * Answers how many went.
 */
export async function dropReplaced(server: RestoreServer, maintenance: pg.Pool, keepDays: number): Promise<number> {
  const { running } = restoreNames(server, '');
  const old = (await replacedBefore(maintenance, keepDays)).filter((name) => name.startsWith(`${running}_replaced_`));
  if (old.length === 0) return 0;
  return asCreator(server, async (maker) => {
    const { rows } = await maker.query<{ name: string }>(
      'SELECT datname AS name FROM pg_database WHERE datname = ANY ($1)',
      [old],
    );
    let dropped = 0;
    for (const { name } of rows)
      try {
        await maker.query(`DROP DATABASE IF EXISTS ${maker.escapeIdentifier(name)} WITH (FORCE)`);
        dropped += 1;
      } catch (error) {
        if (!STAYS.has(sqlState(error) ?? '')) throw error;
      }
    return dropped;
  });
}
