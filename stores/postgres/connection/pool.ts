import pg from 'pg';
import { answerTimeoutMs, giveUpSilentConnections } from './silent-server.ts';

export interface PoolOptions {
  readonly url: string;
  readonly max: number;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** Called for errors of idle connections (the server closed them); without a listener they would end the process. */
  readonly onIdleError: (error: Error) => void;
}

const IDLE_MS = 30_000;

/** A connection pool with every limit set: node-postgres would wait for a connection or a response forever. */
export function createPool(options: PoolOptions): pg.Pool {
  const pool = new pg.Pool({
    connectionString: options.url,
    max: options.max,
    connectionTimeoutMillis: options.connectTimeoutMs,
    idleTimeoutMillis: IDLE_MS,
    statement_timeout: options.statementTimeoutMs,
    // The other limits do not detect a vanished server.
    query_timeout: answerTimeoutMs(options.statementTimeoutMs),
    idle_in_transaction_session_timeout: options.statementTimeoutMs,
    application_name: options.applicationName,
    keepAlive: true,
  });
  pool.on('error', options.onIdleError);
  giveUpSilentConnections(pool);
  return pool;
}
