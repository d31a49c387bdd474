import type pg from 'pg';

/** Another attempt or another run archives or restores the session at this moment: it is to be tried again. Known as a conflict by its code. */
export class ArchiveInHand extends Error {
  override readonly name = 'ArchiveInHand';
  readonly code = '40001';
}

/**
 * Does something to a session's archive while nobody else does. Null where somebody does. The lock goes with its connection, so that it outlives no process; one
 * that loses it while it works loses no row by that, because every attempt has an object of its own, but its work.
 */
export async function withArchiveLock<Result>(
  maintenance: pg.Pool,
  sessionId: string,
  work: (client: pg.PoolClient | null) => Promise<Result>,
): Promise<Result> {
  const client = await maintenance.connect();
  const name = `archive ${sessionId}`;
  let isSound = false;
  // A server that goes while nothing is asked of it is told to nobody else, and would end the process.
  const ignore = () => undefined;
  client.on('error', ignore);
  try {
    const { rows } = await client.query<{ had: boolean }>(
      'SELECT pg_try_advisory_lock(hashtextextended($1, 0)) AS had',
      [name],
    );
    const isHad = rows[0]?.had === true;
    const result = await work(isHad ? client : null);
    // What was done stays done where the connection went meanwhile, and the lock with it.
    isSound =
      !isHad ||
      (await client.query('SELECT pg_advisory_unlock(hashtextextended($1, 0))', [name]).then(
        () => true,
        () => false,
      ));
    return result;
  } finally {
    // What failed may have left a transaction or the lock: such a connection is not given to the next one.
    if (isSound) client.off('error', ignore);
    client.release(!isSound);
  }
}
