import { z } from 'zod';
import type { Config } from '../../config/config.ts';
import { failureReason } from '../../domain/failure-reason.ts';
import { connected } from '../../stores/postgres/connection/connected.ts';
import { columnOf } from '../../stores/postgres/connection/rows.ts';
import { createTemporalClient } from '../../stores/temporal/client.ts';
import { createConnection } from '../../stores/weaviate/connection.ts';

/** Result of a connection with the settings of the api and the workers. */
export interface ExternalEngine {
  readonly name: string;
  readonly isReachable: boolean;
  /** How it is connected, or why not. Contains no secret. */
  readonly text: string;
}

const TIMEOUT_SECONDS = 5;

async function checkPostgres(url: string): Promise<string> {
  const timeoutMs = TIMEOUT_SECONDS * 1_000;
  return connected(
    { connectionString: url, connectionTimeoutMillis: timeoutMs, query_timeout: timeoutMs },
    async (client) => {
      const { rows } = await client.query('SELECT version FROM pg_stat_ssl WHERE pid = pg_backend_pid()');
      return columnOf(rows, 'version', z.string().nullable())[0] ?? 'without TLS';
    },
  );
}

async function checkTemporal({ temporal }: Config): Promise<string> {
  const client = createTemporalClient(temporal);
  const { namespace } = temporal;
  try {
    await client.withDeadline(Date.now() + TIMEOUT_SECONDS * 1_000, () =>
      client.workflowService.describeNamespace({ namespace }),
    );
    return temporal.tls === undefined ? 'without TLS' : 'TLS';
  } finally {
    await client.connection.close();
  }
}

/** The client's first connection checks REST and gRPC with the key, but its errors omit the reason of a failed REST request. */
async function checkWeaviate({ weaviate }: Config): Promise<string> {
  const timeoutsSeconds = { connect: TIMEOUT_SECONDS, query: TIMEOUT_SECONDS, insert: TIMEOUT_SECONDS };
  const connection = createConnection({ ...weaviate, timeoutsSeconds });
  try {
    await connection.ping();
    await connection.run(() => Promise.resolve());
    return weaviate.url.startsWith('https:') ? 'TLS' : 'without TLS';
  } finally {
    await connection.close();
  }
}

/** Connects to each engine that the settings name, as the api and the workers do. Changes nothing; never rejects. */
export async function checkExternalEngines(config: Config): Promise<ExternalEngine[]> {
  const { url, maintenanceUrl, restoreUrl } = config.database;
  const roles = { application: url, maintenance: maintenanceUrl, restore: restoreUrl };
  const checks = [
    ...Object.entries(roles).flatMap(([role, address]) =>
      address === undefined ? [] : [{ name: `PostgreSQL (${role} role)`, check: () => checkPostgres(address) }],
    ),
    { name: 'Temporal', check: () => checkTemporal(config) },
    { name: 'Weaviate', check: () => checkWeaviate(config) },
  ];
  return Promise.all(
    checks.map(async ({ name, check }) => {
      try {
        return { name, isReachable: true, text: `reachable, ${await check()}` };
      } catch (error) {
        return { name, isReachable: false, text: failureReason(error) };
      }
    }),
  );
}
