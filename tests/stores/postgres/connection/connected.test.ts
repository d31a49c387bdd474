import { expect, test } from 'vitest';
import { connected } from '../../../../stores/postgres/connection/connected.ts';
import { fileDatabase } from '../../../setup/database.ts';

const db = fileDatabase();

test('a connection that is closed between two queries fails the next one and nothing else', async () => {
  const lost = connected({ connectionString: db.url('app') }, async (client) => {
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    // Not `once` of node:events, which listens for errors itself.
    const ended = new Promise((resolve) => client.once('end', resolve));
    await db.superuser.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
    await ended;
    return client.query('SELECT 1');
  });
  await expect(lost).rejects.toThrow(/not queryable/);
});
