import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { evenCuts, rangesBetween } from '../../../activities/backup/backed-up-tables.ts';
import { copyOut, fileQuery, openCopyClient } from '../../../activities/backup/copy-out.ts';
import { fileDatabase } from '../../setup/database.ts';

const ROWS = 4_000;
const PART = 512 * 1024;
const db = fileDatabase();
let bytes: number;

beforeAll(async () => {
  await db.owner.query(
    `CREATE TABLE cut_here (id uuid PRIMARY KEY, text text NOT NULL);
     CREATE TABLE cut_nothing (id uuid PRIMARY KEY);
     INSERT INTO cut_here SELECT gen_random_uuid(), repeat(n::text, 100) FROM generate_series(1, ${ROWS}) AS n;
     GRANT SELECT ON cut_here, cut_nothing TO PUBLIC`,
  );
  const rows = await db.rows<{ bytes: string }>("SELECT pg_table_size('cut_here') AS bytes");
  bytes = Number(rows[0]?.bytes);
});

test('cuts a large table into about even parts with every row once, in order', async () => {
  const client = await openCopyClient(db.url('maintenance'), 5_000);
  try {
    const cuts = await evenCuts(client, { name: 'cut_here', key: 'id', bytes }, PART);
    const parts = Math.floor(bytes / PART) + 1;
    expect(parts).toBeGreaterThan(2);
    expect(cuts).toHaveLength(parts - 1);
    const counts: number[] = [];
    let text = '';
    for (const range of rangesBetween(cuts)) {
      const part = copyOut(client, fileQuery({ name: 'cut_here', columns: ['id'], orderBy: ['id'] }, range));
      for await (const piece of part) text += Buffer.from(piece).toString('utf8');
      counts.push(await part.count());
    }
    expect(counts.reduce((sum, rows) => sum + rows)).toBe(ROWS);
    for (const rows of counts) {
      expect(rows).toBeGreaterThan(ROWS / parts / 2);
      expect(rows).toBeLessThan((ROWS / parts) * 2);
    }
    const all = await db.rows<{ id: string }>('SELECT id FROM cut_here ORDER BY id');
    expect(text.trim().split('\n')).toEqual(all.map(({ id }) => id));
  } finally {
    await client.end();
  }
});

test('does not cut a small or empty table', async () => {
  const client = await openCopyClient(db.url('maintenance'), 5_000);
  try {
    expect(await evenCuts(client, { name: 'cut_here', key: 'id', bytes })).toEqual([]);
    expect(await evenCuts(client, { name: 'cut_nothing', key: 'id', bytes: 10 * PART }, PART)).toEqual([]);
  } finally {
    await client.end();
  }
});

test('returns ranges open at both ends for unsorted and repeated cuts', () => {
  expect(rangesBetween([])).toEqual([{ lowest: null, above: null }]);
  expect(rangesBetween(['b', 'a', 'b'])).toEqual([
    { lowest: null, above: 'a' },
    { lowest: 'a', above: 'b' },
    { lowest: 'b', above: null },
  ]);
});

/** Bytes of a message before its text: type and length. */
const HEAD_BYTES = 5;

/** Forwards connections to PostgreSQL, and sends the number of copied rows in a packet of its own. Returns the port, and a function that closes it. */
async function splittingProxy(target: URL, rows: number): Promise<{ readonly port: number; close(): void }> {
  const server = createServer((client) => {
    client.setNoDelay(true);
    const upstream = connect(Number(target.port), target.hostname);
    client.pipe(upstream);
    upstream.on('data', (piece: Buffer) => {
      const at = piece.indexOf(`COPY ${rows}\0`) - HEAD_BYTES;
      client.write(at < 0 ? piece : piece.subarray(0, at));
      if (at >= 0) setTimeout(() => client.write(piece.subarray(at)), 50);
    });
    upstream.on('end', () => client.end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = z.object({ port: z.number() }).parse(server.address());
  return { port, close: () => server.close() };
}

test('counts rows also if their number arrives after the last one', async () => {
  const url = new URL(db.url('maintenance'));
  const proxy = await splittingProxy(new URL(url), 5);
  url.host = `127.0.0.1:${proxy.port}`;
  const client = await openCopyClient(url.href, 20_000);
  try {
    const rows = copyOut(client, 'SELECT id FROM cut_here ORDER BY id LIMIT 5');
    let text = '';
    for await (const piece of rows) text += Buffer.from(piece).toString('utf8');
    expect(text.trim().split('\n')).toHaveLength(5);
    expect(await rows.count()).toBe(5);
  } finally {
    await client.end();
    proxy.close();
  }
});
