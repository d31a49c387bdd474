import './quiet-runtime.ts';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NativeConnection } from '@temporalio/worker';
import { Client, Connection, ScheduleNotFoundError } from '@temporalio/client';
import { inject } from 'vitest';
import type { RouteAccess } from '../../api/auth.ts';
import { createApiDependencies } from '../../api/dependencies.ts';
import { createServer } from '../../api/server.ts';
import { parseConfig } from '../../config/config.ts';
import type { Config } from '../../config/config.ts';
import { bootstrapTemporal } from '../../infra/bootstrap/temporal.ts';
import { createLogger } from '../../telemetry/logger.ts';
import { loadExporter } from '../../telemetry/tracing.ts';
import { workflowIdOf } from '../../workflows/registry.ts';
import type { ScheduleName } from '../../domain/jobs.ts';
import { buildIdOf, createWorkers } from '../../workers/create-workers.ts';
import { promoteBuild } from '../../stores/temporal/deployment.ts';
import { createWorkerDependencies } from '../../workers/dependencies.ts';
import { createTestDatabase } from './database.ts';
import type { TestDatabase, TestRows, TestUser, TestUserOptions } from './database.ts';

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed JSON, otherwise text. */
  readonly body: unknown;
}

export interface CallOptions {
  readonly key?: string | null;
  readonly body?: unknown;
  /** Sent unchanged, instead of `body` as JSON. */
  readonly raw?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface TestInstance extends TestRows {
  readonly config: Config;
  readonly environment: Readonly<Record<string, string>>;
  readonly db: TestDatabase;
  /** Admin of the first tenant. */
  readonly admin: TestUser;
  readonly url: string;
  /** Every route of the server with its access level. */
  readonly routes: readonly RouteAccess[];
  readonly temporal: Client;
  /** Sends a request to `/api/v1` and the path, with the admin's key unless `key` is given (null: none). */
  call(method: string, path: string, options?: CallOptions): Promise<ApiAnswer>;
  get(path: string, key?: string | null): Promise<ApiAnswer>;
  post(path: string, body?: unknown, key?: string | null): Promise<ApiAnswer>;
  put(path: string, body?: unknown, key?: string | null): Promise<ApiAnswer>;
  delete(path: string, key?: string | null): Promise<ApiAnswer>;
  /** Creates a user of the admin's tenant. */
  user(options?: Omit<TestUserOptions, 'tenantId'>): Promise<TestUser>;
  /** Creates a user of a new tenant. */
  stranger(options?: Omit<TestUserOptions, 'tenantId'>): Promise<TestUser>;
  /** Starts the worker's queues in this process, for `buildId` if given. Returns a function that stops them. */
  startWorker(buildId?: string): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

function temporalNamespace(): string {
  return `test-${randomUUID()}`;
}

/** Settings of a test's instance: its own database and Temporal namespace on the suite's engines; short times unless overridden. */
export function testEnvironment(
  db: TestDatabase,
  namespace: string,
  overrides: Readonly<Record<string, string>> = {},
): Record<string, string> {
  const engines = inject('engines');
  return {
    RECOLLECT_DATABASE_URL: db.url('app'),
    RECOLLECT_MAINTENANCE_DATABASE_URL: db.url('maintenance'),
    RECOLLECT_RESTORE_DATABASE_URL: db.url('restore').replace(/[^/]*$/, 'postgres'),
    RECOLLECT_TEMPORAL_ADDRESS: engines.temporal.address,
    RECOLLECT_TEMPORAL_NAMESPACE: namespace,
    RECOLLECT_WEAVIATE_URL: engines.weaviate.url,
    RECOLLECT_WEAVIATE_GRPC_PORT: String(engines.weaviate.grpcPort),
    RECOLLECT_WEAVIATE_API_KEY: engines.weaviate.apiKey,
    RECOLLECT_CACHE_DIR: inject('cacheDir'),
    RECOLLECT_HTTP_PORT: '0',
    RECOLLECT_SECRET_KEYS: `test:${Buffer.alloc(32, 7).toString('base64')}`,
    RECOLLECT_HINT_DELAY_MS: '50',
    // Longer than a busy machine needs for a test: windows of open sessions would close during it, and be summarised.
    RECOLLECT_WINDOW_QUIET_MS: '1200000',
    // Tests share an address.
    RECOLLECT_RATE_LOGIN_STARTS: '0',
    RECOLLECT_SHUTDOWN_GRACE_MS: '3000',
    RECOLLECT_LOG_LEVEL: 'error',
    // With other tests on the machine, a retriever would exceed its time, and a worker with low priority would starve.
    RECOLLECT_SEARCH_RETRIEVER_TIMEOUT_MS: '20000',
    RECOLLECT_WORKER_NICENESS: '0',
    // While a worker starts in this process, a new connection waits for its event loop; a request would be refused.
    RECOLLECT_DB_CONNECT_TIMEOUT_MS: '30000',
    // Each thread is a process with its own copy of the model; a test embeds few texts.
    RECOLLECT_EMBEDDING_THREADS: '1',
    ...overrides,
  };
}

/** Schedules that a session may need. */
export const SWEEPS: readonly ScheduleName[] = ['capture-sweep', 'transcripts'];

/** Deletes the schedules of a namespace that is no longer used: otherwise two of them run every minute for each finished test. */
async function deleteSchedules(client: Client, operations: readonly ScheduleName[]): Promise<void> {
  await Promise.all(
    operations.map((name) =>
      client.schedule
        .getHandle(workflowIdOf('operation', name))
        .delete()
        .catch((error: unknown) => {
          if (!(error instanceof ScheduleNotFoundError)) throw error;
        }),
    ),
  );
}

/**
 * Starts an instance for one test file: api over HTTP, worker on demand, on the suite's engines. Without `operations`, the sweeps get their schedules
 * when the first worker starts in this process: two schedules cost the server more than the rest of an instance, and nothing carries out what they
 * start. A test whose worker is a process of its own states them.
 */
export async function startTestInstance(
  overrides: Readonly<Record<string, string>> = {},
  operations?: readonly ScheduleName[],
): Promise<TestInstance> {
  const db = await createTestDatabase();
  const namespace = temporalNamespace();
  const scheduled: ScheduleName[] = [];
  const schedule = async (names: readonly ScheduleName[]): Promise<void> => {
    await bootstrapTemporal({ address: inject('engines').temporal.address, namespace, operations: names });
    scheduled.push(...names);
  };
  await schedule(operations ?? []);
  const archives = await mkdtemp(join(tmpdir(), 'recollect-archives-'));
  const environment = testEnvironment(db, namespace, {
    RECOLLECT_ARCHIVE_STORE: join(archives, 'archive'),
    RECOLLECT_BACKUP_STORE: join(archives, 'backups'),
    ...overrides,
  });
  const config = parseConfig(environment);
  const admin = await db.createUser({ role: 'admin' });
  const logger = createLogger('test', config.logLevel);
  const dependencies = createApiDependencies(config, logger, await loadExporter('api', 'test', config.tracing));
  const server = await createServer({ dependencies, logger, isStopping: () => false });
  const url = await server.listen({ host: '127.0.0.1', port: config.http.port });
  const connection = await Connection.connect({ address: inject('engines').temporal.address });
  const stops: (() => Promise<void>)[] = [];

  const call: TestInstance['call'] = async (method, path, options = {}) => {
    const key = options.key === undefined ? admin.key : options.key;
    const body = options.raw ?? (options.body === undefined ? null : JSON.stringify(options.body));
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      ...(body === null ? {} : { body }),
      headers: {
        ...(key === null ? {} : { authorization: `Bearer ${key}` }),
        ...(body === null ? {} : { 'content-type': 'application/json' }),
        ...options.headers,
      },
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text };
  };

  const send = (method: string, path: string, key: string | null | undefined, body?: unknown) =>
    call(method, path, { body, ...(key === undefined ? {} : { key }) });

  const startWorker: TestInstance['startWorker'] = async (buildId) => {
    if (operations === undefined && scheduled.length === 0) await schedule(SWEEPS);
    const config = parseConfig({ ...environment, ...(buildId === undefined ? {} : { RECOLLECT_BUILD_ID: buildId }) });
    const worker = createWorkerDependencies(config, logger, await loadExporter('worker', 'test', config.tracing));
    const native = await NativeConnection.connect({ address: config.temporal.address });
    const workers = await createWorkers(config, native, worker);
    const running = Promise.all(workers.map((each) => each.run()));
    const promotion = new AbortController();
    const promoted = promoteBuild(worker.client, buildIdOf(config), promotion.signal, () => undefined);
    let stopped = false;
    const stop = async () => {
      if (stopped) return;
      stopped = true;
      promotion.abort();
      await promoted;
      for (const each of workers) each.shutdown();
      await running;
      await native.close();
      await worker.close();
    };
    stops.push(stop);
    return stop;
  };

  const temporal = new Client({ connection, namespace });
  return {
    config,
    environment,
    db,
    admin,
    url,
    routes: server.routeAccess,
    temporal,
    call,
    get: (path, key) => send('GET', path, key),
    post: (path, body, key) => send('POST', path, key, body),
    put: (path, body, key) => send('PUT', path, key, body),
    delete: (path, key) => send('DELETE', path, key),
    user: (options) => db.createUser({ ...options, tenantId: admin.tenantId }),
    stranger: db.createUser,
    rows: db.rows,
    value: db.value,
    text: db.text,
    count: db.count,
    write: db.write,
    startWorker,
    async close() {
      for (const stop of stops) await stop();
      await server.close();
      await dependencies.close();
      await deleteSchedules(temporal, scheduled);
      await connection.close();
      await db.close();
      await rm(archives, { recursive: true, force: true });
    },
  };
}
