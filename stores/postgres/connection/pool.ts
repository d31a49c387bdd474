import pg from 'pg';

/** Longer than the server may take to say that a statement took too long. */
const ANSWER_GRACE_MS = 5_000;
/** Message of node-postgres when `query_timeout` is over. */
const READ_TIMEOUT = 'Query read timeout';

/** The server did not respond at all, not even with a statement timeout. */
class ServerSilent extends Error {
  override readonly name = 'ServerSilent';
  readonly code = 'ETIMEDOUT';

  constructor() {
    super('PostgreSQL did not respond in time; the connection is closed');
  }
}

/** Returns the time to wait for a response if the server cancels statements after `statementTimeoutMs`; undefined without that limit. */
function answerTimeoutMs(statementTimeoutMs: number): number | undefined {
  return statementTimeoutMs > 0 ? statementTimeoutMs + ANSWER_GRACE_MS : undefined;
}

/**
 * Calls `onSilence` before a caller receives the timeout of a query, and replaces that error by ServerSilent. Calls `onQuery` with the seconds of each query that
 * has an answer; copies and cursors have none here.
 */
function watch(client: pg.PoolClient, onSilence: () => void, onQuery: (seconds: number) => void): void {
  const query = client.query.bind(client);
  const replaced = (error: unknown): unknown => {
    if (!(error instanceof Error) || error.message !== READ_TIMEOUT) return error;
    onSilence();
    return new ServerSilent();
  };
  const watched = (...given: unknown[]): unknown => {
    const started = performance.now();
    const answered = (): void => onQuery((performance.now() - started) / 1_000);
    const callback = given.at(-1);
    if (typeof callback === 'function')
      given[given.length - 1] = (error: unknown, result: unknown): unknown => {
        answered();
        return Reflect.apply(callback, undefined, [replaced(error), result]);
      };
    const answer: unknown = Reflect.apply(query, undefined, given);
    return answer instanceof Promise
      ? answer.then(
          (result: unknown) => {
            answered();
            return result;
          },
          (error: unknown) => {
            answered();
            throw replaced(error);
          },
        )
      : answer;
  };
  Object.defineProperty(client, 'query', { value: watched, configurable: true, writable: true });
}

/**
 * Lets a pool close connections to a silent server: node-postgres waits for the response on such a connection, and its next user waits behind. Closes
 * the idle connections too, because they have the same server.
 */
function giveUpSilentConnections(pool: pg.Pool, onQuery: (seconds: number) => void): void {
  const idle = new Set<pg.PoolClient>();
  pool.on('acquire', (client) => idle.delete(client));
  pool.on('remove', (client) => idle.delete(client));
  pool.on('release', (error, client) => {
    if (!error) idle.add(client);
  });
  pool.on('connect', (client) => {
    const onSilence = (): void => {
      // During a query this closes the socket at once, and later queries fail at once.
      if (client instanceof pg.Client) void client.end();
      for (const other of idle) {
        // The pool drops an idle connection that fails; a closed socket alone it would only see later.
        other.emit('error', new ServerSilent());
        if (other instanceof pg.Client) other.connection.stream.destroy();
      }
      idle.clear();
    };
    watch(client, onSilence, onQuery);
  });
}

export interface PoolOptions {
  readonly url: string;
  readonly max: number;
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
  /** Called for errors of idle connections (the server closed them); without a listener they would end the process. */
  readonly onIdleError: (error: Error) => void;
  /** Sends statements of a connection without waiting for the answers before. Not for copies. */
  readonly pipeline?: boolean;
  /** Called with the seconds of each query that has an answer. */
  readonly onQuery?: (seconds: number) => void;
}

/** Sends what `work` begins in one packet: each wakes the server, which costs both sides more than a short statement. */
export function together<Result>(client: pg.PoolClient, work: () => Result): Result {
  const stream = client instanceof pg.Client ? client.connection.stream : null;
  stream?.cork();
  try {
    return work();
  } finally {
    stream?.uncork();
  }
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
    pipeline: options.pipeline ?? false,
  });
  pool.on('error', options.onIdleError);
  // The pool listens to idle connections only: the loss of one in use would end the process. Its queries fail.
  pool.on('connect', (client) => client.on('error', () => undefined));
  giveUpSilentConnections(pool, options.onQuery ?? (() => undefined));
  return pool;
}
