import { createHash } from 'node:crypto';
import type pg from 'pg';
import { z } from 'zod';
import { tenantTables } from '../../stores/postgres/exports/table-catalog.ts';
import type { TenantTable } from '../../stores/postgres/exports/table-catalog.ts';
import { EXPORT_FORMAT_VERSION } from './lines.ts';
import { conditionOf } from '../../stores/postgres/exports/scope-rules.ts';
import type { PortableScope } from '../../stores/postgres/exports/scope-rules.ts';
import { reportProgress } from '../heartbeat.ts';

/** Rows per fetch: with rows of 64 KiB each, some megabytes. */
const ROWS_AT_ONCE = 100;

/** The same rows give the same text on every server; slow readers do not time out. */
const AS_TEXT = `SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1;
  SET LOCAL idle_in_transaction_session_timeout = 0`;

/** Users are exported without password hash and second factor. */
const COLUMNS_OF: Readonly<Record<string, readonly string[]>> = {
  users: ['id', 'tenant_id', 'username', 'role', 'preferences', 'created_at'],
};

/** Extra keys: a project's aliases identify it in another instance. */
const BESIDE: Readonly<Record<string, string>> = {
  projects: `|| jsonb_build_object('aliases', (SELECT coalesce(jsonb_agg(a.alias ORDER BY a.alias), '[]') FROM project_aliases a WHERE a.project_id = t.id))`,
};

/** Returns the SQL of a row's line. JSON nulls in columns are listed beside, since they would be read as SQL nulls. */
function lineSql(table: TenantTable): string {
  const only = COLUMNS_OF[table.name];
  const columns = table.columns.filter(
    ({ name, isGenerated }) => !isGenerated && (only === undefined || only.includes(name)),
  );
  const row = `(SELECT to_jsonb(r) FROM (SELECT ${columns.map(({ name }) => `t."${name}"`).join(', ')}) AS r) ${BESIDE[table.name] ?? ''}`;
  const json = columns.filter(({ type }) => type === 'jsonb');
  const nulls =
    json.length === 0
      ? `''`
      : `CASE WHEN ${json.map(({ name }) => `t."${name}" = 'null'`).join(' OR ')}
           THEN ',"json_nulls":' || to_json(array_remove(ARRAY[${json.map(({ name }) => `CASE WHEN t."${name}" = 'null' THEN '${name}' END`).join(', ')}], NULL))::text ELSE '' END`;
  return `'{"table":"${table.name}","row":' || (${row})::text || ${nulls} || '}' || chr(10)`;
}

const headRow = z.object({ name: z.string(), at: z.date() });

/** Returns the names of the applied migrations; none if the role may not read them. */
export async function migrationsOf(client: pg.ClientBase): Promise<string[]> {
  const privilege = await client.query<{ may: boolean | null }>(
    `SELECT has_column_privilege(to_regclass('public._prisma_migrations'), 'migration_name', 'SELECT') AND has_column_privilege(to_regclass('public._prisma_migrations'), 'finished_at', 'SELECT') AS may`,
  );
  if (privilege.rows[0]?.may !== true) return [];
  const { rows } = await client.query<{ name: string }>(
    'SELECT migration_name AS name FROM _prisma_migrations WHERE finished_at IS NOT NULL ORDER BY 1',
  );
  return rows.map((row) => row.name);
}

/** Result of an export: rows by table, and the SHA-256 of the lines before the last. */
export interface WrittenRows {
  readonly rows: Readonly<Record<string, number>>;
  readonly sha256: string;
}

/**
 * Yields every row of a scope as NDJSON in pieces of complete lines: a header, the rows in insertion order, a last line with counts and the
 * SHA-256 of all lines before it. All of one snapshot, in a transaction on `client`, which has the maintenance role. Memory is limited to one
 * fetch. @throws Error if the tenant does not exist, the database's errors, and the signal's reason
 */
export async function* writeRows(
  client: pg.ClientBase,
  scope: PortableScope,
  signal?: AbortSignal,
): AsyncGenerator<string, WrittenRows> {
  await client.query(`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ${AS_TEXT}`);
  try {
    const { rows: heads } = await client.query('SELECT t.name, now() AS at FROM tenants t WHERE t.id = $1', [
      scope.tenantId,
    ]);
    const [head] = z.array(headRow).parse(heads);
    if (head === undefined) throw new Error('the tenant does not exist');
    const hash = createHash('sha256');
    const header = `${JSON.stringify({
      recollect: 'export',
      version: EXPORT_FORMAT_VERSION,
      migrations: await migrationsOf(client),
      tenant: { id: scope.tenantId, name: head.name },
      scope: { kind: scope.kind, subject: scope.subject },
      at: head.at.toISOString(),
    })}\n`;
    hash.update(header);
    yield header;
    const counts: Record<string, number> = {};
    for (const table of await tenantTables(client)) {
      const condition = conditionOf(table, scope);
      if (condition === null) continue;
      const given = [scope.tenantId, scope.subject, scope.restrictedOf];
      const values = given.slice(0, condition.includes('$3') ? 3 : condition.includes('$2') ? 2 : 1);
      const order = table.primaryKey.map((name) => `t."${name}"`).join(', ');
      await client.query(
        `DECLARE export_rows NO SCROLL CURSOR FOR SELECT ${lineSql(table)} AS line FROM "${table.name}" t WHERE ${condition} ORDER BY ${order}`,
        values,
      );
      for (;;) {
        reportProgress(signal);
        const { rows } = await client.query<{ line: string }>(`FETCH ${ROWS_AT_ONCE} FROM export_rows`);
        if (rows.length === 0) break;
        const text = rows.map((row) => row.line).join('');
        hash.update(text);
        counts[table.name] = (counts[table.name] ?? 0) + rows.length;
        yield text;
      }
      await client.query('CLOSE export_rows');
    }
    const written = { rows: counts, sha256: hash.digest('hex') };
    yield `${JSON.stringify({ end: written })}\n`;
    return written;
  } finally {
    // The transaction is read-only; a lost connection has ended it.
    await client.query('ROLLBACK').catch(() => undefined);
  }
}
