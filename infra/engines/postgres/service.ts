import { chmodSync, existsSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { superuserUrl } from '../../instance/environment.ts';
import type { Instance } from '../../instance/instance.ts';
import type { ServiceDefinition } from '../../supervisor/definitions.ts';
import { foldersOf } from './binaries.ts';
import type { PostgresBinaries } from './binaries.ts';
import { ensureCluster, clearStalePostmaster } from './cluster.ts';
import { chooseRunAs, invoke } from './run-as.ts';
import type { RunAs } from './run-as.ts';

/** Socket paths have at most 103 characters on macOS and 107 on Linux; the server adds /.s.PGSQL.PORT. */
const MAX_SOCKET_FOLDER_LENGTH = 85;
const CONNECT_TIMEOUT_MS = 3000;

/**
 * For one user's machine: little memory at rest, full durability. Buffers take memory only for used pages; with
 * 64 MB instead, a backup of a million rows takes 54 s instead of 46.
 */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: '127.0.0.1',
  max_connections: '120',
  shared_buffers: '256MB',
  fsync: 'on',
  synchronous_commit: 'on',
  full_page_writes: 'on',
  // This build has pglz only: it took 35 of 56 µs of a row's deletion, for a quarter less WAL.
  wal_compression: 'off',
  max_wal_size: '512MB',
  jit: 'off',
  timezone: 'UTC',
  log_timezone: 'UTC',
  log_line_prefix: '%m [%p] ',
  logging_collector: 'off',
  // Never log stored content: no statements, no row values.
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
};

/** PostgreSQL of an instance: created at the first start, fast shutdown, crash recovery after a kill. */
export function postgresService(
  instance: Instance,
  binaries: PostgresBinaries,
  parent: Readonly<Record<string, string>>,
): ServiceDefinition {
  const environment = { ...parent, ...binaries.environment };
  const folder = instance.layout.postgres;
  return {
    kind: 'service',
    name: 'postgres',
    after: [],
    prepare: async (context) => {
      const runAs = chooseRunAs([...foldersOf(binaries), path.dirname(instance.layout.dataDir)]);
      if (runAs.kind === 'user') chmodSync(instance.layout.dataDir, 0o711);
      const password = instance.secrets.postgresSuperuser;
      await ensureCluster({ folder, binaries, runAs, password, environment, ...context });
      if (existsSync(folder)) await clearStalePostmaster(folder);
      return {
        ...invoke(runAs, binaries.postgres, ['-D', folder, ...settingArguments(instance, runAs)]),
        environment,
        workingDirectory: runAs.kind === 'user' ? '/' : instance.layout.dataDir,
      };
    },
    ports: [instance.ports.postgres],
    readiness: { kind: 'probe', check: () => answersQueries(superuserUrl(instance)) },
    // After a crash it replays its log, which can take long.
    readyTimeoutMs: 300_000,
    stopSignal: 'SIGINT',
    stopGraceMs: 20_000,
    emergencySignal: 'SIGQUIT',
  };
}

function settingArguments(instance: Instance, runAs: RunAs): string[] {
  const { run } = instance.layout;
  const socketFolder =
    run.length <= MAX_SOCKET_FOLDER_LENGTH && !/[\s,"']/.test(run) && runAs.kind !== 'user' ? run : '';
  const settings = { ...SETTINGS, port: String(instance.ports.postgres), unix_socket_directories: socketFolder };
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

async function answersQueries(url: string): Promise<void> {
  const client = new Client({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: CONNECT_TIMEOUT_MS,
  });
  // A connection that breaks after its response fails the next poll.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.query('SELECT 1');
  } finally {
    await client.end();
  }
}
