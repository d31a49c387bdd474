import type pg from 'pg';
import type { TenantTable } from '../../stores/postgres/exports/table-catalog.ts';
import { ExportFileError } from './lines.ts';
import type { IdMap } from './people.ts';

/** Columns with ids of users, projects or the tenant, in any table. */
const MAPPED: ReadonlySet<string> = new Set([
  'user_id',
  'project_id',
  'verified_by',
  'closed_by',
  'updated_by',
  'scope_id',
  'created_by',
]);

/** Condition: a tombstone exists of a row that is not an event: a summary, a learning, a quote. */
const HAS_TOMBSTONE = (column: string) =>
  `EXISTS (SELECT FROM tombstones b WHERE b.tenant_id = $1 AND b.host = '' AND b.external_id = '' AND b.key_sha256 = sha256(convert_to('row:' || p.${column}, 'UTF8')))`;

/** The key as in a tombstone (stores/postgres/erasure/forget.ts): without the part's number; for an event without a key its hash alone. */
const BARE_KEY = `regexp_replace(regexp_replace(p.key, chr(31) || '\\d+$', ''), '^(hash:[0-9a-f]{64})@\\d+$', '\\1')`;

/** Tombstones `b` of a session `s`: its user's, and those of users unknown here, since an erased user's sessions may come under another id. */
const OF_SESSION = (s: string) =>
  `b.tenant_id = $1 AND b.host = ${s}.host AND b.external_id = ${s}.external_id AND (b.user_id = ${s}.user_id OR NOT EXISTS (SELECT FROM users u WHERE u.id = b.user_id))`;

/** Conditions of a row beside its foreign keys. */
const REFUSING: Readonly<Record<string, string>> = {
  sessions: `(p.status = 'deleted' OR NOT EXISTS (SELECT FROM tombstones b WHERE ${OF_SESSION('p')} AND b.key_sha256 = sha256('session')))`,
  capture_keys: `NOT EXISTS (SELECT FROM sessions s JOIN tombstones b ON ${OF_SESSION('s')}
     WHERE s.id = p.session_id AND b.key_sha256 = sha256(convert_to('key:' || ${BARE_KEY}, 'UTF8')))`,
  prompts: `NOT EXISTS (SELECT FROM sessions s JOIN tombstones b ON ${OF_SESSION('s')}
     WHERE s.id = p.session_id AND b.key_sha256 = sha256(convert_to('content:' || encode(p.sha256, 'hex'), 'UTF8')))`,
  // This tenant and its projects alone: a line may name the instance's scope or another tenant's.
  settings: `p.sensitive IS NOT TRUE AND p.encrypted_value IS NULL AND (p.scope = 'tenant' AND p.scope_id = $1::text
     OR p.scope = 'project' AND EXISTS (SELECT FROM projects o WHERE o.id::text = p.scope_id AND o.tenant_id = $1))`,
};

/** Tables of events, which are listed in `capture_keys`: a row is rejected with its key. */
const EVENTS: ReadonlySet<string> = new Set(['prompts', 'observations', 'boundaries']);
/** The only rows of a forgotten session that are imported: its copies and its cost. */
const OF_FORGOTTEN: ReadonlySet<string> = new Set(['transcript_prompts', 'usage_ledger', 'sessions']);

function conditionsOf(table: TenantTable, carried: ReadonlySet<string>): string[] {
  const has = (name: string) => table.columns.some((column) => column.name === name);
  const parents = table.foreignKeys
    .filter((key) => carried.has(key.parent))
    .map((key) => {
      const same = key.columns
        .map((column, n) => `f."${key.parentColumns[n] ?? column}" = p."${column}"`)
        .join(' AND ');
      const none = key.columns.map((column) => `p."${column}" IS NULL`).join(' OR ');
      return `(${none} OR EXISTS (SELECT FROM "${key.parent}" f WHERE ${same} AND f.tenant_id = $1))`;
    });
  const forgotten = ['id', 'row_id', 'source_id', 'resource_id']
    .filter((name) => has(name) && table.name !== 'capture_keys')
    .map((name) => `NOT ${HAS_TOMBSTONE(name)}`);
  const session =
    has('session_id') && !OF_FORGOTTEN.has(table.name)
      ? [
          `(p.session_id IS NULL OR NOT EXISTS (SELECT FROM sessions s WHERE s.id = p.session_id AND s.status = 'deleted' AND s.tenant_id = $1))`,
        ]
      : [];
  const sessionExists =
    has('session_id') && table.columns.some((column) => column.name === 'session_id' && !column.isNullable)
      ? ['EXISTS (SELECT FROM sessions s WHERE s.id = p.session_id AND s.tenant_id = $1)']
      : [];
  const keyed = EVENTS.has(table.name)
    ? ['EXISTS (SELECT FROM capture_keys k WHERE k.session_id = p.session_id AND k.seq = p.seq AND k.row_id = p.id)']
    : [];
  const own = REFUSING[table.name];
  return [...parents, ...forgotten, ...session, ...sessionExists, ...keyed, ...(own === undefined ? [] : [own])];
}

/** Statements for lines of a table: `$1` the tenant, `$2` the lines, `$3` mapped ids. */
export interface LineInsert {
  readonly foreign: string | null;
  readonly insert: string;
}

/** Converts the lines `$2` to rows `p` of the tenant, in order. */
function rowsOf(table: TenantTable): string {
  const mapped = table.columns.filter(({ name }) => MAPPED.has(name)).map(({ name }) => name);
  const row = mapped.reduce(
    (sql, name) =>
      `${sql} || CASE WHEN $3::jsonb ? (g.j #>> '{row,${name}}') THEN jsonb_build_object('${name}', $3::jsonb -> (g.j #>> '{row,${name}}')) ELSE '{}' END`,
    `(g.j -> 'row') || jsonb_build_object('tenant_id', $1::uuid)`,
  );
  return `(SELECT line::jsonb AS j, n FROM unnest($2::text[]) WITH ORDINALITY AS l(line, n)) AS g
    CROSS JOIN LATERAL jsonb_populate_record(NULL::"${table.name}", ${row}) AS p`;
}

/** Returns the statements for rows with these keys; other columns get their defaults, and unknown names are ignored. */
export function insertOf(table: TenantTable, keys: ReadonlySet<string>, carried: ReadonlySet<string>): LineInsert {
  const columns = table.columns.filter(
    ({ name, isGenerated }) => !isGenerated && (keys.has(name) || name === 'tenant_id'),
  );
  const values = columns.map(({ name, type }) =>
    type === 'jsonb'
      ? `CASE WHEN g.j -> 'json_nulls' ? '${name}' THEN 'null'::jsonb ELSE p."${name}" END`
      : `p."${name}"`,
  );
  const conditions = conditionsOf(table, carried);
  const same = table.primaryKey.map((name) => `t."${name}" = p."${name}"`).join(' AND ');
  return {
    foreign: table.primaryKey.includes('tenant_id')
      ? null
      : `SELECT count(*)::integer AS n FROM ${rowsOf(table)} JOIN "${table.name}" t ON ${same} WHERE t.tenant_id <> $1 AND $3::jsonb IS NOT NULL`,
    insert: `INSERT INTO "${table.name}" (${columns.map(({ name }) => `"${name}"`).join(', ')})
      SELECT ${values.join(', ')} FROM ${rowsOf(table)}
       WHERE $3::jsonb IS NOT NULL${conditions.map((condition) => ` AND ${condition}`).join('')} ORDER BY g.n ON CONFLICT DO NOTHING`,
  };
}

/** Inserts lines of one table; returns the number of rows inserted. @throws ExportFileError id_taken if another tenant has a row's id */
export async function insertLines(
  client: pg.ClientBase,
  { foreign, insert }: LineInsert,
  table: string,
  tenantId: string,
  lines: readonly string[],
  map: IdMap,
): Promise<number> {
  const values = [tenantId, lines, JSON.stringify(Object.fromEntries(map))];
  if (foreign !== null) {
    const { rows } = await client.query<{ n: number }>(foreign, values);
    if ((rows[0]?.n ?? 0) > 0)
      throw new ExportFileError(
        'id_taken',
        `${rows[0]?.n ?? 0} ids of ${table} belong to another tenant of this instance`,
      );
  }
  const { rowCount } = await client.query(insert, values);
  return rowCount ?? 0;
}
