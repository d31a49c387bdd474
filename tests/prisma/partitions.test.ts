import { randomUUID } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { fileDatabase } from '../setup/database.ts';

const HOT = ['prompts', 'observations', 'usage_ledger', 'audit_log'] as const;
const USAGE_COLUMNS =
  'id, tenant_id, operation, provider, model, input_tokens, output_tokens, tokens_cached, cost_usd, latency_ms';
const db = fileDatabase();

/** Returns the first moment of the month `step` months from now, in UTC. */
function month(step: number): Date {
  const now = new Date();
  return new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + step, 1));
}

function partOf(table: string, at: Date): string {
  return `${table}_${at.getUTCFullYear()}_${String(at.getUTCMonth() + 1).padStart(2, '0')}`;
}

/** A UUIDv7 of a moment, its random bits given. */
function idAt(ms: number, rest = '7000-8000-000000000000'): string {
  const hex = ms.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-${rest}`;
}

function partitionNames(table: string): Promise<string[] | undefined> {
  return db.value(
    'SELECT array_agg(inhrelid::regclass::text ORDER BY 1) AS value FROM pg_inherits WHERE inhparent = $1::regclass',
    [table],
  );
}

async function insertUsage(id: string): Promise<string | undefined> {
  await db.write(
    `INSERT INTO usage_ledger (${USAGE_COLUMNS}) VALUES ($1, $2, 'summarise', 'local', 'm', 1, 1, 0, 0, 1)`,
    [id, randomUUID()],
  );
  return db.value('SELECT tableoid::regclass::text AS value FROM usage_ledger WHERE id = $1', [id]);
}

describe('uuidv7_floor', () => {
  test.each(['1970-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '2026-02-28T23:59:59.999Z', '2199-12-31T23:59:59.999Z'])(
    'is the smallest id of %s',
    async (moment) => {
      expect(await db.value('SELECT uuidv7_floor($1::timestamptz)::text AS value', [moment])).toBe(
        idAt(Date.parse(moment), '0000-0000-000000000000'),
      );
    },
  );

  test('is at or below every id of its moment and above every id before it', async () => {
    const moment = Date.parse('2026-05-01T00:00:00Z');
    expect(
      await db.value('SELECT uuidv7_floor($1::timestamptz) <= $2::uuid AS value', [new Date(moment), idAt(moment)]),
    ).toBe(true);
    expect(
      await db.value('SELECT uuidv7_floor($1::timestamptz) > $2::uuid AS value', [
        new Date(moment),
        idAt(moment - 1, '7fff-bfff-ffffffffffff'),
      ]),
    ).toBe(true);
  });

  test('agrees with the ids that the server itself generates', async () => {
    expect(
      await db.value(
        "SELECT uuidv7() > uuidv7_floor(now() - interval '1 second') AND uuidv7() < uuidv7_floor(now() + interval '1 minute') AS value",
      ),
    ).toBe(true);
  });
});

const ensured = async (months = 3) => (await db.write('SELECT ensure_partitions($1) AS value', [months]))[0]?.['value'];

describe('ensure_partitions', () => {
  test.each(HOT)('has made last month, this one and three more of %s, and a place for the rest', async (table) => {
    const expected = [...[-1, 0, 1, 2, 3].map((step) => partOf(table, month(step))), `${table}_default`];
    expect((await partitionNames(table))?.toSorted()).toEqual(expected.toSorted());
  });

  test('creates what is missing and nothing twice', async () => {
    expect(await ensured()).toBe(0);
    expect(await ensured(5)).toBe(2 * HOT.length);
    expect(await ensured(5)).toBe(0);
    expect(await partitionNames('observations')).toContain(partOf('observations', month(5)));
  });

  test('cuts months in UTC in any session time zone', async () => {
    const client = await db.maintenance.connect();
    try {
      await client.query("SET TIME ZONE 'America/New_York'");
      await client.query('SELECT ensure_partitions(30)');
      await client.query("SET TIME ZONE 'Asia/Tokyo'");
      await client.query('SELECT ensure_partitions(42)');
    } finally {
      client.release(true);
    }
    for (let step = -1; step <= 42; step += 1) {
      const bounds = await db.value<string>(
        'SELECT pg_get_expr(relpartbound, oid) AS value FROM pg_class WHERE oid = $1::regclass',
        [partOf('prompts', month(step))],
      );
      const floor = (at: Date) => idAt(at.getTime(), '0000-0000-000000000000');
      expect(bounds).toBe(`FOR VALUES FROM ('${floor(month(step))}') TO ('${floor(month(step + 1))}')`);
    }
  });

  test('a row is in the month of its id, first and last moment included', async () => {
    for (let step = -1; step <= 3; step += 1) {
      const part = partOf('usage_ledger', month(step));
      expect(await insertUsage(idAt(month(step).getTime(), '0000-8000-000000000000'))).toBe(part);
      expect(await insertUsage(idAt(month(step + 1).getTime() - 1, '7fff-bfff-ffffffffffff'))).toBe(part);
    }
    expect(await insertUsage(idAt(month(-2).getTime()))).toBe('usage_ledger_default');
  });

  test('rows that came before their month was made move into it, with every index and no policy less', async () => {
    const far = month(50);
    const id = idAt(far.getTime() + 5);
    expect(await insertUsage(id)).toBe('usage_ledger_default');
    await ensured(51);
    expect(await db.value('SELECT tableoid::regclass::text AS value FROM usage_ledger WHERE id = $1', [id])).toBe(
      partOf('usage_ledger', far),
    );
    const indexes =
      'SELECT count(*)::integer AS value FROM pg_index i WHERE i.indrelid = $1::regclass AND i.indisvalid AND EXISTS (SELECT 1 FROM pg_inherits h WHERE h.inhrelid = i.indexrelid)';
    for (const table of HOT)
      expect(await db.value(indexes, [partOf(table, far)])).toBe(
        await db.value('SELECT count(*)::integer AS value FROM pg_index WHERE indrelid = $1::regclass', [table]),
      );
  });

  test('is for maintenance, not for the application', async () => {
    await expect(db.database.pool.query('SELECT ensure_partitions()')).rejects.toMatchObject({ code: '42501' });
  });
});
