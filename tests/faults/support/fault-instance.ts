import type { ChildProcess } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Client, Connection } from '@temporalio/client';
import pg from 'pg';
import { readCredentials } from '../../../cli/server/access.ts';
import type { Credentials } from '../../../cli/server/access.ts';
import { processEnvironment } from '../../../config/process-environment.ts';
import { databaseUrl, temporalAddress, temporalNamespace, weaviateUrl } from '../../../infra/instance/environment.ts';
import { prepareDataDirectory } from '../../../infra/instance/instance.ts';
import type { Instance } from '../../../infra/instance/instance.ts';
import { choosePorts, DEFAULT_PORTS, readSavedPorts } from '../../../infra/instance/ports.ts';
import { readOrCreateSecrets } from '../../../infra/instance/secrets.ts';
import { lastLines, logPath } from '../../../infra/supervisor/log-file.ts';
import { isAlive } from '../../../infra/supervisor/process-identity.ts';
import type { ProcessIdentity } from '../../../infra/supervisor/process-identity.ts';
import { readState } from '../../../infra/supervisor/state.ts';
import { runCli } from '../../cli/support/run-cli.ts';
import { until } from '../../setup/until.ts';

export const SERVICES = ['api', 'worker', 'temporal', 'weaviate', 'postgres'] as const;
export type ServiceName = (typeof SERVICES)[number];

/** Sessions end and sweeps run within seconds instead of half an hour. */
export const SHORT_TIMES: Readonly<Record<string, string>> = {
  RECOLLECT_WINDOW_QUIET_MS: '3000',
  RECOLLECT_SESSION_IDLE_MS: '20000',
  RECOLLECT_SESSION_RETRY_MS: '1000',
  RECOLLECT_SWEEP_INTERVAL_MS: '10000',
  RECOLLECT_HINT_DELAY_MS: '200',
};

const RECOVERY_TIMEOUT_MS = 150_000;
const SHOWN_LOG_LINES = 12;
const healthDependencies = ['postgres', 'temporal', 'weaviate', 'embedder'] as const;

/** A `recollect up` on its own data directory, with the means to kill its services and to read its stores. */
export interface FaultInstance {
  readonly dataDir: string;
  readonly credentials: Credentials;
  readonly weaviate: { readonly url: string; readonly grpcPort: number; readonly apiKey: string };
  /** Queries as the superuser, without row-level security. Connects each time: the server may have been killed since. */
  readonly query: <Row extends pg.QueryResultRow>(text: string, values?: readonly unknown[]) => Promise<Row[]>;
  /** Runs with a Temporal client that is closed afterwards. */
  withTemporal<Result>(work: (client: Client) => Promise<Result>): Promise<Result>;
  /** Hosts and ports that serve metrics, and the token for them. */
  readonly scrape: { readonly api: string; readonly worker: string; readonly token: string };
  /** Of Recollect's database, as the superuser. */
  readonly databaseUrl: string;
  /** Whether a service has a process, ready or not. */
  isRunning(service: ServiceName): boolean;
  /** Process id of the supervisor. */
  readonly supervisor: number;
  /** Returns the process id of a running service. */
  pid(service: ServiceName): number;
  /** Sends SIGKILL to the processes of these services at once; returns these processes. */
  kill(services: readonly ServiceName[]): ReadonlyMap<ServiceName, ProcessIdentity>;
  /** Resolves when each of these services runs as a new process and the instance is healthy; rejects with their logs. */
  recovered(killed: ReadonlyMap<ServiceName, ProcessIdentity>): Promise<void>;
  /** Returns the state and the last log lines of every service, for the report of a failure. */
  account(): string;
  /** `recollect down`. */
  stop(): Promise<void>;
  /** `recollect up` again after a stop. */
  start(): Promise<void>;
  /** Stops everything and removes the data. */
  remove(): Promise<void>;
}

/** Starts `recollect up` on new data and free ports, with short times unless others are given; resolves when it is ready. */
export async function startFaultInstance(
  settings: Readonly<Record<string, string>> = {},
  times: Readonly<Record<string, string>> = SHORT_TIMES,
): Promise<FaultInstance> {
  const dataDir = mkdtempSync(path.join(tmpdir(), 'recollect-faults-'));
  chmodSync(dataDir, 0o755);
  const layout = prepareDataDirectory(dataDir);
  // Another instance may run on the default ports: `up` uses the ports of this file.
  await choosePorts({ file: layout.portsFile, prefer: 'free' });
  const environment = { ...times, ...settings };

  let supervisor: ChildProcess | undefined;
  // A test run that is interrupted must leave no instance behind.
  const endSupervisor = (): void => void supervisor?.kill('SIGTERM');
  const leave = (): never => process.exit(1);
  process.once('exit', endSupervisor);
  process.once('SIGTERM', leave);

  const up = async (): Promise<void> => {
    const run = runCli(['up', '--data-dir', dataDir], environment);
    supervisor = run.child;
    await run.shows('Press Ctrl-C to stop.');
  };
  const down = async (): Promise<void> => {
    const { exitCode, output } = await runCli(['down', '--data-dir', dataDir]).ended;
    if (exitCode !== 0) throw new Error(`recollect down ended with ${exitCode}:\n${output}`);
  };
  const processOf = (service: ServiceName): ProcessIdentity | undefined =>
    readState(layout.stateFile)?.nodes[service]?.process;
  const running = (service: ServiceName): ProcessIdentity => {
    const identity = processOf(service);
    // Never the id of a group, of this process, or of a later process with the same id.
    if (identity === undefined || identity.pid <= 1 || identity.pid === process.pid || !isAlive(identity))
      throw new Error(`${service} is not running`);
    return identity;
  };

  try {
    await up();
  } catch (error) {
    await down();
    rmSync(dataDir, { recursive: true, force: true, maxRetries: 10 });
    throw error;
  }
  const instance: Instance = {
    layout,
    secrets: readOrCreateSecrets(layout.secretsFile),
    ports: { ...DEFAULT_PORTS, ...readSavedPorts(layout.portsFile) },
  };
  const credentials = readCredentials(layout.credentialsFile);
  const connectionString = databaseUrl(instance, 'postgres', instance.secrets.postgresSuperuser);

  /** Returns why the instance has not recovered; null if it has. */
  const missing = async (killed: ReadonlyMap<ServiceName, ProcessIdentity>): Promise<string | null> => {
    const nodes = readState(layout.stateFile)?.nodes ?? {};
    for (const [service, old] of killed) {
      const node = nodes[service];
      const successor = node?.process;
      if (node?.status !== 'ready' || successor === undefined || successor.pid === old.pid || !isAlive(successor))
        return `${service} is ${node?.status ?? 'unknown'}${node?.detail === undefined ? '' : ` (${node.detail})`}`;
    }
    try {
      const response = await fetch(`${credentials.url}/api/v1/health`, { signal: AbortSignal.timeout(5_000) });
      const health: unknown = await response.json();
      const text = JSON.stringify(health);
      const well = healthDependencies.every((name) => text.includes(`"${name}":{"status":"ok"`));
      return response.ok && well ? null : `health returns ${text}`;
    } catch (error) {
      return `health does not respond: ${error instanceof Error ? error.message : String(error)}`;
    }
  };

  const account = (): string => {
    const nodes = readState(layout.stateFile)?.nodes ?? {};
    return SERVICES.map((service) => {
      const { status = 'unknown', restarts = 0, since = '', detail = '' } = nodes[service] ?? {};
      const lines = lastLines(logPath(layout.logs, service), SHOWN_LOG_LINES);
      return [`${service} is ${status} since ${since}, ${restarts} restarts, ${detail}`, ...lines].join('\n');
    }).join('\n');
  };

  return {
    dataDir,
    credentials,
    account,
    databaseUrl: connectionString,
    scrape: {
      api: new URL(credentials.url).host,
      worker: `127.0.0.1:${instance.ports.workerMetrics}`,
      token: instance.secrets.scrapeToken,
    },
    isRunning(service) {
      const identity = processOf(service);
      return identity !== undefined && isAlive(identity);
    },
    supervisor: supervisor?.pid ?? 0,
    pid: (service) => running(service).pid,
    weaviate: {
      url: weaviateUrl(instance),
      grpcPort: instance.ports.weaviateGrpc,
      apiKey: instance.secrets.weaviateApiKey,
    },
    async query<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []) {
      const client = new pg.Client({ connectionString });
      // The server may be killed during the query.
      client.on('error', () => undefined);
      await client.connect();
      try {
        return (await client.query<Row>(text, [...values])).rows;
      } finally {
        await client.end();
      }
    },
    async withTemporal(work) {
      const connection = await Connection.connect({ address: temporalAddress(instance) });
      try {
        return await work(new Client({ connection, namespace: temporalNamespace(processEnvironment()) }));
      } finally {
        await connection.close();
      }
    },
    kill(services) {
      const killed = new Map<ServiceName, ProcessIdentity>();
      for (const service of services) killed.set(service, running(service));
      for (const { pid } of killed.values()) process.kill(pid, 'SIGKILL');
      return killed;
    },
    async recovered(killed) {
      let reason: string | null = null;
      try {
        await until(
          async () => {
            reason = await missing(killed);
            return reason === null ? true : undefined;
          },
          RECOVERY_TIMEOUT_MS,
          'the recovery',
        );
      } catch (cause) {
        throw new Error(`the instance did not recover: ${reason ?? 'no reason'}\n${account()}`, { cause });
      }
    },
    stop: down,
    start: up,
    async remove() {
      await down();
      process.off('exit', endSupervisor);
      process.off('SIGTERM', leave);
      const lost = Object.values(readState(layout.stateFile)?.nodes ?? {}).flatMap((node) => node.process ?? []);
      if (lost.some(isAlive))
        throw new Error(`recollect down left processes: ${readFileSync(layout.stateFile, 'utf8')}`);
      rmSync(dataDir, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}
