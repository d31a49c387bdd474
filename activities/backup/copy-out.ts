import pg from 'pg';
import { to } from 'pg-copy-streams';
import type { CatalogTable, KeyRange } from './backed-up-tables.ts';

/**
 * These settings give the same text for the same rows on every server of the version: a restore verifies itself by copying out again.
 * Statement limits are lifted, on backup connections alone. The server notices a dead client even while it waits, since that client may own
 * the backup lock. One core is enough for a copy; captures need the others.
 */
const SESSION = `
  SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres'; SET bytea_output = 'hex'; SET extra_float_digits = 1;
  SET client_encoding = 'UTF8'; SET statement_timeout = 0; SET idle_in_transaction_session_timeout = 0; SET row_security = off;
  SET client_connection_check_interval = '2s'; SET max_parallel_workers_per_gather = 0`;

/** Opens a connection that copies tables as the maintenance role. The caller ends it. @throws Error of the driver */
export async function openCopyClient(url: string, connectTimeoutMs: number): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: connectTimeoutMs,
    application_name: 'recollect-backup',
    keepAlive: true,
  });
  // The next query reports the error of an idle connection.
  client.on('error', () => undefined);
  await client.connect();
  await client.query(SESSION);
  return client;
}

/** Returns the query of a table's file: columns, range and order. Names and bounds are validated or come from the catalogue. */
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

/** Returns true if a range has a row. */
export async function hasRows(client: pg.ClientBase, table: CatalogTable, range: KeyRange): Promise<boolean> {
  const { rowCount } = await client.query(`${fileQuery({ ...table, columns: table.orderBy }, range)} LIMIT 1`);
  return rowCount !== null && rowCount > 0;
}

/** Rows of a query in PostgreSQL's text format. */
export interface CopiedRows extends AsyncIterable<Uint8Array> {
  /** Returns the number of rows; to be called after the last piece. */
  count(): Promise<number>;
}

/** Copies the rows of a query out. @throws Error of the driver, while the rows are read */
export function copyOut(client: pg.ClientBase, query: string): CopiedRows {
  const rows = client.query(to(`COPY (${query}) TO STDOUT`));
  return {
    [Symbol.asyncIterator]: () => rows[Symbol.asyncIterator](),
    async count() {
      // PostgreSQL sends the count after the last row, sometimes in another packet: it is known once another query returns.
      await client.query('SELECT');
      return rows.rowCount;
    },
  };
}
