import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { z } from 'zod';
import { readCredentials } from '../../../cli/server/access.ts';
import { DATABASE_NAME } from '../../../infra/instance/environment.ts';
import { prepareDataDirectory } from '../../../infra/instance/instance.ts';
import { readOrCreateSecrets } from '../../../infra/instance/secrets.ts';
import { readState } from '../../../infra/supervisor/state.ts';
import { startInstanceProcess } from '../instance-process.ts';

const BARE_SERVER = fileURLToPath(new URL('bare-server.ts', import.meta.url));
const portsSchema = z.looseObject({
  api: z.number(),
  postgres: z.number(),
  temporalFrontend: z.number(),
  weaviateHttp: z.number(),
  weaviateGrpc: z.number(),
});

export interface BenchInstance {
  readonly dataDir: string;
  readonly url: string;
  readonly port: number;
  readonly key: string;
  readonly temporalAddress: string;
  readonly weaviate: { readonly url: string; readonly grpcPort: number; readonly apiKey: string };
  /** URL of Recollect's database with the role of the API and the worker. */
  readonly appDatabaseUrl: string;
  /** The same with the maintenance role. */
  readonly maintenanceDatabaseUrl: string;
  /** Superuser of Recollect's database: for counting and filling, never for measured work. */
  readonly database: pg.Pool;
  readonly databaseUrl: string;
  /** Process id of the supervisor. */
  readonly supervisor: number;
  /** Returns the process id of a service; 0 if it does not run. */
  pid(service: string): number;
  /** Runs the bare server on the same PostgreSQL, in its own database, during `work`. */
  withBareServer<Result>(work: (port: number) => Promise<Result>): Promise<Result>;
  stop(): Promise<void>;
}

/** Starts `recollect up` with these settings on a scratch data directory, which is deleted afterwards, or on a given one, which is not. */
export async function startBenchInstance(
  settings: Readonly<Record<string, string>> = {},
  keptDir?: string,
): Promise<BenchInstance> {
  const dataDir = keptDir ?? mkdtempSync(path.join(tmpdir(), 'recollect-bench-'));
  mkdirSync(dataDir, { recursive: true });
  chmodSync(dataDir, 0o755);
  const remove = (): void => {
    if (keptDir === undefined) rmSync(dataDir, { recursive: true, force: true });
  };
  const instance = await startInstanceProcess(dataDir, settings).catch((error: unknown) => {
    remove();
    throw error;
  });
  const layout = prepareDataDirectory(dataDir);
  const credentials = readCredentials(layout.credentialsFile);
  const ports = portsSchema.parse(JSON.parse(readFileSync(layout.portsFile, 'utf8')));
  const secrets = readOrCreateSecrets(layout.secretsFile);
  const urlOf = (database: string, role = 'postgres', secret = secrets.postgresSuperuser) =>
    `postgresql://${role}:${encodeURIComponent(secret)}@127.0.0.1:${ports.postgres}/${database}`;
  const database = new pg.Pool({ connectionString: urlOf(DATABASE_NAME), max: 2 });
  return {
    dataDir,
    url: credentials.url,
    port: ports.api,
    key: credentials.apiKey,
    weaviate: {
      url: `http://127.0.0.1:${ports.weaviateHttp}`,
      grpcPort: ports.weaviateGrpc,
      apiKey: secrets.weaviateApiKey,
    },
    supervisor: instance.pid,
    temporalAddress: `127.0.0.1:${ports.temporalFrontend}`,
    appDatabaseUrl: urlOf(DATABASE_NAME, 'recollect_app', secrets.postgresApp),
    maintenanceDatabaseUrl: urlOf(DATABASE_NAME, 'recollect_maintenance', secrets.postgresMaintenance),
    database,
    databaseUrl: urlOf(DATABASE_NAME),
    pid: (service) => readState(layout.stateFile)?.nodes[service]?.process?.pid ?? 0,
    async withBareServer(work) {
      await database.query('CREATE DATABASE bench_bare');
      const child = spawn(process.execPath, ['--max-semi-space-size=8', BARE_SERVER, urlOf('bench_bare')], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      try {
        const [port] = z.tuple([z.instanceof(Buffer)]).parse(await once(child.stdout, 'data'));
        return await work(Number(port.toString('utf8')));
      } finally {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        await exited;
        await database.query('DROP DATABASE bench_bare WITH (FORCE)');
      }
    },
    async stop() {
      await database.end();
      await instance.stop();
      remove();
    },
  };
}
