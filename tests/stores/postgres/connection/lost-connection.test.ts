import { expect, test } from 'vitest';
import { createPool } from '../../../../stores/postgres/connection/pool.ts';
import { fileDatabase } from '../../../setup/database.ts';

const db = fileDatabase();

test('a pooled connection that is closed between two queries fails the next one and nothing else', async () => {
  const idleErrors: Error[] = [];
  const pool = createPool({
    url: db.url('app'),
    max: 1,
    connectTimeoutMs: 30_000,
    statementTimeoutMs: 30_000,
    applicationName: 'lost-connection',
    onIdleError: (error) => idleErrors.push(error),
  });
  const client = await pool.connect();
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  // Not `once` of node:events, which listens for errors itself.
  const ended = new Promise((resolve) => client.once('end', resolve));
  await db.superuser.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
  await ended;
  await expect(client.query('SELECT 1')).rejects.toThrow(/not queryable/);
  client.release();
  expect((await pool.query<{ n: number }>('SELECT 1 AS n')).rows).toEqual([{ n: 1 }]);
  expect(idleErrors).toEqual([]);
  await pool.end();
});
