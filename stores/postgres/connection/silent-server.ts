import pg from 'pg';

/** Longer than the server may take to say that a statement took too long. */
const ANSWER_GRACE_MS = 5_000;
/** What node-postgres says when its own limit is over. */
const READ_TIMEOUT = 'Query read timeout';

/** The server did not answer, not even that it took too long: it is gone without a word. */
class ServerSilent extends Error {
  override readonly name = 'ServerSilent';
  readonly code = 'ETIMEDOUT';

  constructor() {
    super('PostgreSQL did not answer in time; the connection is given up');
  }
}

/** How long an answer is waited for where the server itself ends a statement after `statementTimeoutMs`; undefined where it never does. */
export function answerTimeoutMs(statementTimeoutMs: number): number | undefined {
  return statementTimeoutMs > 0 ? statementTimeoutMs + ANSWER_GRACE_MS : undefined;
}

/** Calls `onSilence` before anybody hears that a query of this client got no answer, and says so in its own words. */
function watch(client: pg.PoolClient, onSilence: () => void): void {
  const query = client.query.bind(client);
  const told = (error: unknown): unknown => {
    if (!(error instanceof Error) || error.message !== READ_TIMEOUT) return error;
    onSilence();
    return new ServerSilent();
  };
  const watched = (...given: unknown[]): unknown => {
    const callback = given.at(-1);
    if (typeof callback === 'function')
      given[given.length - 1] = (error: unknown, result: unknown): unknown =>
        Reflect.apply(callback, undefined, [told(error), result]);
    const answer: unknown = Reflect.apply(query, undefined, given);
    return answer instanceof Promise
      ? answer.catch((error: unknown) => {
          throw told(error);
        })
      : answer;
  };
  Object.defineProperty(client, 'query', { value: watched, configurable: true, writable: true });
}

/**
 * Has a pool give connections up whose server is silent: node-postgres keeps waiting for the answer on such a connection, and whoever is given it
 * next waits behind. With it go the idle ones, whose server is the same.
 */
export function giveUpSilentConnections(pool: pg.Pool): void {
  const idle = new Set<pg.PoolClient>();
  pool.on('acquire', (client) => idle.delete(client));
  pool.on('remove', (client) => idle.delete(client));
  pool.on('release', (error, client) => {
    if (!error) idle.add(client);
  });
  pool.on('connect', (client) => {
    watch(client, () => {
      // In the middle of a query that closes the socket at once, and whatever is asked of it then fails at once.
      if (client instanceof pg.Client) void client.end();
      for (const other of idle) {
        // The pool drops an idle connection that fails; a closed socket alone it would only see later.
        other.emit('error', new ServerSilent());
        if (other instanceof pg.Client) other.connection.stream.destroy();
      }
      idle.clear();
    });
  });
}
