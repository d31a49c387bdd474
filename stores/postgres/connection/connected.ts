import pg from 'pg';

const CONNECT_MS = 10_000;

/** Runs `work` with a connection of its own, without a limit on how long a statement takes. A lost connection fails its next query. */
export async function connected<Result>(
  config: pg.ClientConfig,
  work: (client: pg.Client) => Promise<Result>,
): Promise<Result> {
  const client = new pg.Client({ connectionTimeoutMillis: CONNECT_MS, keepAlive: true, ...config });
  // Without a listener, a connection that is lost between two queries ends the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}
