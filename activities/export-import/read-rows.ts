import { createHash } from 'node:crypto';
import type pg from 'pg';
import type { TenantId } from '../../domain/ids.ts';
import type { IndexModel } from '../../domain/index-model.ts';
import { tenantTables } from '../../stores/postgres/exports/table-catalog.ts';
import { insertLines, insertOf } from './insert-lines.ts';
import { EXPORT_FORMAT_VERSION, exportEnd, exportHeader, ExportFileError, tableOfLine } from './lines.ts';
import type { ExportHeader } from './lines.ts';
import { importUser, importProject } from './people.ts';
import type { IdMap } from './people.ts';
import { UNEXPORTED_TABLES } from '../../stores/postgres/exports/scope-rules.ts';
import { servedIndex, requestVectors } from './request-vectors.ts';
import { migrationsOf } from './write-rows.ts';
import { reportProgress } from '../heartbeat.ts';

/** Limits of one transaction, which locks its rows and is lost in a crash. */
const BATCH_LINES = 500;
const BATCH_CHARS = 4 * 1024 * 1024;

export interface ReadOptions {
  /** The index for a tenant without one; null: vectors are not requested. */
  readonly index: IndexModel | null;
  /** Progress of a previous attempt: its lines are counted and hashed, not inserted. */
  readonly done?: Pick<ReadProgress, 'lines' | 'written'>;
  /** Called in each transaction, so that the stored progress matches what is committed. */
  readonly onBatch?: (client: pg.ClientBase, progress: ReadProgress) => Promise<void>;
  /** Creates partitions for these months; default: the database's function, if it exists. */
  readonly ensureMonths?: (client: pg.ClientBase, fromMs: number, toMs: number) => Promise<void>;
  readonly signal?: AbortSignal;
}

export interface ReadProgress {
  readonly lines: number;
  /** Rows read, by table. */
  readonly read: Readonly<Record<string, number>>;
  /** Rows inserted, `done` included: the others existed or were forgotten here. */
  readonly written: Readonly<Record<string, number>>;
}

export interface ReadResult extends ReadProgress {
  readonly header: ExportHeader;
}

/** Calls the database's partition function; without one, older rows go to the default partition. */
async function ensureByFunction(client: pg.ClientBase, fromMs: number, toMs: number): Promise<void> {
  const { rows } = await client.query<{ there: boolean }>(
    "SELECT to_regprocedure('ensure_partitions_between(timestamptz, timestamptz)') IS NOT NULL AS there",
  );
  if (rows[0]?.there === true)
    await client.query('SELECT ensure_partitions_between($1, $2)', [new Date(fromMs), new Date(toMs)]);
}

const PARTITIONED: ReadonlySet<string> = new Set(['prompts', 'observations', 'usage_ledger']);
/** PostgreSQL writes the shortest keys first, so that this is the row's own id. */
const ROW_ID = /"id": ?"([0-9a-f]{8})-([0-9a-f]{4})-7/;

function madeAtMs(line: string): number | null {
  const [, high, low] = ROW_ID.exec(line) ?? [];
  return high === undefined || low === undefined ? null : Number.parseInt(high + low, 16);
}

async function inTransaction<Result>(pool: pg.Pool, work: (client: pg.PoolClient) => Promise<Result>): Promise<Result> {
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    client.release();
    return result;
  } catch (error) {
    // A connection in an unknown state is not reused.
    client.release(true);
    throw error;
  }
}

/** Returns undefined for invalid JSON. */
function parsed(line: string | undefined): unknown {
  try {
    return line === undefined ? undefined : JSON.parse(line);
  } catch {
    // The caller reports the line number; the parser's message would quote the line.
    return undefined;
  }
}

function headerOf(line: string | undefined, known: readonly string[]): ExportHeader {
  const header = exportHeader.safeParse(parsed(line));
  if (!header.success) throw new ExportFileError('not_export_file', 'the first line is not an export header');
  const newest = known.at(-1);
  if (header.data.version > EXPORT_FORMAT_VERSION)
    throw new ExportFileError('newer', 'the export has a newer format: update this instance');
  if (newest !== undefined && header.data.migrations.some((name) => name > newest && !known.includes(name)))
    throw new ExportFileError('newer', 'the export has newer tables: update this instance');
  return header.data;
}

/** Removes graph nodes and edges whose mentions were all rejected. */
async function dropUnnamed(client: pg.ClientBase, tenantId: TenantId): Promise<void> {
  await client.query(
    'DELETE FROM relations r WHERE r.tenant_id = $1 AND NOT EXISTS (SELECT FROM relation_evidence e WHERE e.relation_id = r.id)',
    [tenantId],
  );
  await client.query(
    'DELETE FROM entities n WHERE n.tenant_id = $1 AND NOT EXISTS (SELECT FROM entity_mentions m WHERE m.entity_id = n.id)',
    [tenantId],
  );
}

/** Returns true if PostgreSQL rejected the content of lines, which a retry does not change. */
function isLineFault(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  return /^(?:21|22|23)/.test(code);
}

/** Verifies that lines are a complete export, without importing them. @throws ExportFileError if they are not an export, damaged or cut off */
export async function checkLines(lines: AsyncIterable<string>, signal?: AbortSignal): Promise<void> {
  const hash = createHash('sha256');
  let count = 0;
  let isEnded = false;
  for await (const line of lines) {
    reportProgress(signal);
    if (isEnded) throw new ExportFileError('damaged', 'lines follow the last one');
    if (count === 0) headerOf(line, []);
    else if (tableOfLine(line) === null) {
      const end = exportEnd.safeParse(parsed(line));
      if (!end.success || end.data.end.sha256 !== hash.digest('hex'))
        throw new ExportFileError('damaged', `line ${count + 1} is not a row, or the checksum differs`);
      isEnded = true;
      continue;
    }
    count += 1;
    hash.update(line);
    hash.update('\n');
  }
  if (count === 0) throw new ExportFileError('not_export_file', 'there are no lines');
  if (!isEnded) throw new ExportFileError('unfinished', 'the last line is missing: the export was cut off');
}

/**
 * Imports exported rows (`writeRows`) into a tenant, one transaction per batch. Existing rows are unchanged, so that it is repeatable and
 * resumes from `done`. Users are matched by name and projects by alias; vectors are requested again. Rows forgotten or erased here, and rows
 * that quote them, are rejected. `pool` has the maintenance role. @throws ExportFileError if lines are not an export, damaged, cut off, or use
 * ids of another tenant
 */
export async function readRows(
  pool: pg.Pool,
  lines: AsyncIterable<string>,
  tenantId: TenantId,
  options: ReadOptions,
): Promise<ReadResult> {
  const { index, onBatch, signal, ensureMonths = ensureByFunction } = options;
  const { lines: doneLines, written: doneRows } = options.done ?? { lines: 0, written: {} };
  const { tables, known } = await inTransaction(pool, async (client) => ({
    tables: new Map((await tenantTables(client)).map((table) => [table.name, table])),
    known: await migrationsOf(client),
  }));
  const carried = new Set([...tables.keys()].filter((name) => UNEXPORTED_TABLES[name] === undefined));
  const hash = createHash('sha256');
  const map: IdMap = new Map();
  const months = new Set<string>();
  const read: Record<string, number> = {};
  const written: Record<string, number> = { ...doneRows };
  let count = 0;
  let batch: { table: string; lines: string[]; chars: number; from: number } | null = null;
  let header: ExportHeader | null = null;
  let isEnded = false;

  const take = async (client: pg.PoolClient, name: string, taken: readonly string[]): Promise<number> => {
    const table = tables.get(name);
    if (table === undefined || !carried.has(name))
      throw new ExportFileError('not_export_file', `a line is of the table ${name}, which exports do not contain`);
    if (name === 'users' || name === 'projects') {
      let made = 0;
      for (const line of taken)
        made += Number(await (name === 'users' ? importUser : importProject)(client, tenantId, line, map));
      return made;
    }
    if (name === 'embeddings') {
      const served = await servedIndex(client, tenantId, index);
      return served === null ? 0 : requestVectors(client, tenantId, served, taken);
    }
    if (PARTITIONED.has(name)) await ensureOlder(client, taken);
    const { rows } = await client.query<{ keys: string[] }>(
      `SELECT ARRAY(SELECT DISTINCT k FROM unnest($1::text[]) AS line CROSS JOIN LATERAL jsonb_object_keys(line::jsonb -> 'row') AS k) AS keys`,
      [taken],
    );
    return insertLines(client, insertOf(table, new Set(rows[0]?.keys ?? []), carried), name, tenantId, taken, map);
  };

  const ensureOlder = async (client: pg.PoolClient, taken: readonly string[]): Promise<void> => {
    const times = taken.flatMap((line) => madeAtMs(line) ?? []);
    const fresh = times.filter((ms) => !months.has(new Date(ms).toISOString().slice(0, 7)));
    if (fresh.length === 0) return;
    await ensureMonths(client, Math.min(...fresh), Math.max(...fresh));
    for (const ms of fresh) months.add(new Date(ms).toISOString().slice(0, 7));
  };

  const flush = async (): Promise<void> => {
    if (batch === null) return;
    const { table, lines: taken, from } = batch;
    batch = null;
    reportProgress(signal);
    try {
      await inTransaction(pool, async (client) => {
        const made = await take(client, table, taken);
        written[table] = (written[table] ?? 0) + made;
        await onBatch?.(client, { lines: Math.max(count, doneLines), read: { ...read }, written: { ...written } });
      });
    } catch (error) {
      if (!isLineFault(error) && !(error instanceof Error && error.name === 'ZodError')) throw error;
      throw new ExportFileError('damaged', `lines ${from} to ${count} are not valid rows of ${table}`);
    }
  };

  for await (const line of lines) {
    if (isEnded) throw new ExportFileError('damaged', 'lines follow the last one');
    if (header === null) {
      header = headerOf(line, known);
      if (header.tenant.id !== tenantId) map.set(header.tenant.id, tenantId);
    } else {
      const table = tableOfLine(line);
      if (table === null) {
        await flush();
        const end = exportEnd.safeParse(parsed(line));
        if (!end.success) throw new ExportFileError('damaged', `line ${count + 1} is not a row`);
        if (end.data.end.sha256 !== hash.digest('hex'))
          throw new ExportFileError('damaged', 'the checksum of the lines differs from the last line');
        isEnded = true;
        continue;
      }
      if (batch !== null && (batch.table !== table || batch.lines.length >= BATCH_LINES || batch.chars >= BATCH_CHARS))
        await flush();
      read[table] = (read[table] ?? 0) + 1;
      // Users and projects are few and needed for the id map.
      if (count >= doneLines || table === 'users' || table === 'projects') {
        batch ??= { table, lines: [], chars: 0, from: count + 1 };
        batch.lines.push(line);
        batch.chars += line.length;
      }
    }
    count += 1;
    hash.update(line);
    hash.update('\n');
  }
  if (header === null) throw new ExportFileError('not_export_file', 'there are no lines');
  if (!isEnded) throw new ExportFileError('unfinished', 'the last line is missing: the export was cut off');
  await inTransaction(pool, (client) => dropUnnamed(client, tenantId));
  return { header, lines: count, read, written };
}
