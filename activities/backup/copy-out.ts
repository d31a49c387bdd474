import pg from 'pg';
import { to } from 'pg-copy-streams';
import type { CatalogTable, KeyRange } from './backed-up-tables.ts';

/**
 * Under these settings the same rows are always the same text, on any server of the same version: a restore proves itself by copying out
 * again. The bounds of statements are lifted for what may take an hour, and only on connections of backups. A server whose client died is to notice
 * it, also while it waits for somebody: it may hold the lock of backups. One core is enough for a copy, and captures need the others.
 */
const SESSION = `
  SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET bytea_output = 'hex'; SET extra_float_digits = 1;
  SET client_encoding = 'UTF8'; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET row_security = off;
  SET client_connection_check_interval = '2s'; SET max_parallel_workers_per_gather = 0`;

/** A connection that copies tables, as the maintenance role. End it in any case. @throws Error of the driver */
export async function openCopyClient(url: string, connectTimeoutMs: number): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: 'recollect-backup',
    keepAlive: true,
  });
  // An error of a connection that nobody waits on is told by the next query.
  client.on('error', () => undefined);
  await client.connect();
  await client.query(SESSION);
  return client;
}

/** What a file of a table holds, as a query: its columns, its range, in its order. Names and bounds are checked or come from the catalog. */
export function fileQuery(
  table: Pick<CatalogTable, 'name' | 'columns' | 'orderBy'>,
  { lowest, above }: KeyRange,
): string {
  const { escapeIdentifier, escapeLiteral } = pg;
  const key = escapeIdentifier(table.orderBy[0]);
  const bounds = [
    ...(lowest === null ? [] : [`${key} >= ${escapeLiteral(lowest)}`]),
    ...(above === null ? [] : [`${key} < ${escapeLiteral(above)}`]),
  ];
  const where = bounds.length === 0 ? '' : ` WHERE ${bounds.join(' AND ')}`;
  const columns = table.columns.map(escapeIdentifier).join(', ');
  return `SELECT ${columns} FROM ${escapeIdentifier(table.name)}${where} ORDER BY ${table.orderBy.map(escapeIdentifier).join(', ')}`;
}

/** Whether there is a row in a range. */
export async function hasRows(client: pg.ClientBase, table: CatalogTable, range: KeyRange): Promise<boolean> {
  const { rowCount } = await client.query(`${fileQuery({ ...table, columns: table.orderBy }, range)} LIMIT 1`);
  return rowCount !== null && rowCount > 0;
}

/** The rows of a query as PostgreSQL's text format, and how many they were once all are read. */
export function copyOut(
  client: pg.ClientBase,
  query: string,
): AsyncIterable<Uint8Array> & { readonly rowCount: number } {
  return client.query(to(`COPY (${query}) TO STDOUT`));
}
