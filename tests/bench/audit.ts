import type pg from 'pg';
import { z } from 'zod';
import { asId, newId } from '../../domain/ids.ts';
import type { TenantId } from '../../domain/ids.ts';
import { appendAudit } from '../../stores/postgres/audit/append.ts';
import { verifyAudit } from '../../stores/postgres/audit/verify.ts';
import { createDatabase } from '../../stores/postgres/connection/database.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import { startBenchInstance } from './capture/bench-instance.ts';
import { option, say } from './command-line.ts';

// Audit log: rows per second with 8 writers of one tenant and of eight, and rows per second of a verification. Prints one JSON line; progress goes to
// stderr. `--rows N` sets the rows of the verification, `--seconds N` the time of each measurement of writers.

const WRITERS = 8;
const rows = Number(option('rows') ?? 100_000);
const seconds = Number(option('seconds') ?? 10);
/** Rows per transaction of the filling: each leaves a version of the head, which the next one passes. */
const FILL = 100;

const countRow = z.tuple([z.object({ count: z.coerce.number() })]);

async function newTenant(superuser: pg.Pool): Promise<TenantId> {
  const id = newId<TenantId>();
  await superuser.query('INSERT INTO tenants (id, name) VALUES ($1, $2)', [id, id]);
  return asId<TenantId>(id);
}

/** Returns rows per second that the writers append, each to its tenant. */
async function writing(database: Database, tenants: readonly TenantId[]): Promise<number> {
  const began = performance.now();
  let appended = 0;
  const write = async (_: unknown, n: number): Promise<void> => {
    const tenantId = tenants[n % tenants.length];
    while (tenantId !== undefined && performance.now() - began < seconds * 1_000) {
      await appendAudit(database.pool, {
        tenantId,
        actorId: newId(),
        credential: { kind: 'key', id: newId() },
        action: 'DELETE /memories/:id',
        subject: { type: 'memories', id: newId() },
        status: 200,
        requestId: newId(),
        address: '127.0.0.1',
        userAgent: 'bench/1',
      });
      appended += 1;
    }
  };
  await Promise.all(Array.from({ length: WRITERS }, write));
  return Math.round(appended / ((performance.now() - began) / 1_000));
}

const instance = await startBenchInstance({ RECOLLECT_TRANSCRIPTS: 'off' });
const database = createDatabase({
  privateRows: 'all',
  url: instance.appDatabaseUrl,
  max: WRITERS,
  connectTimeoutMs: 5_000,
  statementTimeoutMs: 30_000,
  applicationName: 'bench',
  onIdleError: () => undefined,
});
try {
  const superuser = instance.database;
  say('one tenant');
  const one = await writing(database, [await newTenant(superuser)]);
  say('eight tenants');
  const eight = await writing(database, await Promise.all(Array.from({ length: WRITERS }, () => newTenant(superuser))));
  say(`${rows} rows to verify`);
  const tenantId = await newTenant(superuser);
  for (let n = 0; n < rows; n += FILL)
    await database.pool.query(
      `SELECT append_audit($1, uuidv7(), 'key', uuidv7(), 'DELETE /memories/:id', 'memories', uuidv7()::text, 200, uuidv7()::text, '127.0.0.1', 'bench/1')
         FROM generate_series(1, $2::integer)`,
      [tenantId, Math.min(FILL, rows - n)],
    );
  const began = performance.now();
  const { checked, fault } = await verifyAudit(database, tenantId);
  const verifySeconds = (performance.now() - began) / 1_000;
  if (fault !== null) throw new Error(`row ${fault.seq} is ${fault.kind}`);
  const size = await superuser.query(
    `SELECT sum(pg_total_relation_size(inhrelid)) / greatest(1, (SELECT count(*) FROM audit_log)) AS count FROM pg_inherits WHERE inhparent = 'audit_log'::regclass`,
  );
  process.stdout.write(
    `${JSON.stringify({
      writers: WRITERS,
      rows_per_second: { one_tenant: one, eight_tenants: eight },
      verified: {
        rows: checked,
        seconds: Math.round(verifySeconds * 100) / 100,
        rows_per_second: Math.round(checked / verifySeconds),
      },
      bytes_per_row: Math.round(countRow.parse(size.rows)[0].count),
    })}\n`,
  );
} finally {
  await database.close();
  await instance.stop();
}
