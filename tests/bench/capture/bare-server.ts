import Fastify from 'fastify';
import pg from 'pg';
import { z } from 'zod';
import { newId } from '../../../domain/ids.ts';

// Upper bound of the machine: Fastify, pg, one table, one flush at a time. No key, no check, no redaction, no order, no duplicates.
// argv: the database's URL. Prints its port.

const MAX_FLUSH = 1_000;
const pool = new pg.Pool({ connectionString: process.argv[2], max: 1 });
await pool.query(
  'CREATE TABLE IF NOT EXISTS bare_events (id uuid PRIMARY KEY, session text NOT NULL, body text NOT NULL)',
);

const eventSchema = z.object({ session_id: z.string() });
interface Waiting {
  readonly rows: readonly { readonly session: string; readonly body: string }[];
  readonly stored: () => void;
}
const waiting: Waiting[] = [];
let flushing = false;

async function flushAll(): Promise<void> {
  flushing = true;
  while (waiting.length > 0) {
    const taken = waiting.splice(0, MAX_FLUSH);
    const rows = taken.flatMap((each) => each.rows);
    await pool.query({
      name: 'store',
      text: 'INSERT INTO bare_events SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[])',
      values: [rows.map(() => newId()), rows.map((row) => row.session), rows.map((row) => row.body)],
    });
    for (const each of taken) each.stored();
  }
  flushing = false;
}

function store(events: readonly unknown[]): Promise<void> {
  return new Promise((resolve) => {
    const rows = events.map((event) => ({
      session: eventSchema.parse(event).session_id,
      body: JSON.stringify(event),
    }));
    waiting.push({ rows, stored: resolve });
    if (!flushing) void flushAll();
  });
}

const app = Fastify({ bodyLimit: 64 * 1024 * 1024 });
app.addContentTypeParser('application/x-ndjson', { parseAs: 'string' }, async (_request: unknown, body: string) =>
  body.split('\n').map((line): unknown => JSON.parse(line)),
);
app.post('/', async (request, reply) => {
  const events: unknown[] = Array.isArray(request.body) ? request.body : [request.body];
  await store(events);
  return reply.status(202).send({ accepted: events.length });
});
const address = await app.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`${new URL(address).port}\n`);
process.once('SIGTERM', () => {
  void app.close().then(() => pool.end());
});
