import { writeFileSync } from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { processEnvironment } from '../../config/process-environment.ts';
import { findPostgresBinaries } from '../../infra/engines/postgres/binaries.ts';
import { SUPERUSER } from '../../infra/engines/postgres/cluster.ts';
import { postgresService } from '../../infra/engines/postgres/service.ts';
import { runInstance } from '../../infra/supervisor/run-instance.ts';
import { testFolder } from '../infra/support/folder.ts';
import { recordProgress } from '../infra/support/progress.ts';
import { programPath } from '../viewer/journeys/support/programs.ts';
import { run } from './support/tools.ts';
import type { Ran } from './support/tools.ts';

const SCRIPT = path.resolve(import.meta.dirname, '../../deploy/helm/recollect/files/temporal-databases.sh');
const DATABASES = ['temporal', 'temporal_visibility'];
const PASSWORD = "it's a $password \\ with everything";
const { PATH = '' } = processEnvironment();

beforeAll(() => {
  programPath(['psql'], 'psql is missing: install it with "apt-get install postgresql-client"');
});

/** Runs the script with these settings and no others. */
function runScript(settings: Readonly<Record<string, string>>): Ran {
  return run('env', ['-i', ...Object.entries({ PATH, ...settings }).map((pair) => pair.join('=')), 'sh', SCRIPT]);
}

/** A server without databases, as at the first start. */
interface Server {
  /** Runs the script. */
  create(temporalPassword?: string): Ran;
  /** Runs a statement as the superuser. */
  query(statement: string): Promise<void>;
  /** Creates a table in each database as Temporal's role. */
  use(password: string): Promise<void>;
}

async function startServer(): Promise<Server> {
  const binaries = await findPostgresBinaries();
  const { instance, stop } = await runInstance({
    dataDir: testFolder(),
    progress: recordProgress(),
    signal: new AbortController().signal,
    preferPorts: 'free',
    prepare: () => Promise.resolve(null),
    nodes: (opened) => [postgresService(opened, binaries, { PATH })],
  });
  onTestFinished(() => stop());
  const port = instance.ports.postgres;
  const superuser = { host: '127.0.0.1', port, user: SUPERUSER, password: instance.secrets.postgresSuperuser };
  const folder = testFolder();
  const file = (name: string, content: string): string => {
    writeFileSync(path.join(folder, name), content);
    return path.join(folder, name);
  };
  const within = async (connection: pg.ClientConfig, statement: string): Promise<void> => {
    const client = new pg.Client(connection);
    try {
      await client.connect();
      await client.query(statement);
    } finally {
      await client.end();
    }
  };
  return {
    create: (temporalPassword = PASSWORD) =>
      runScript({
        PGHOST: superuser.host,
        PGPORT: String(port),
        POSTGRES_PASSWORD_FILE: file('postgres', superuser.password),
        TEMPORAL_PASSWORD_FILE: file('temporal', temporalPassword),
      }),
    query: (statement) => within({ ...superuser, database: 'postgres' }, statement),
    use: async (password) => {
      for (const database of DATABASES)
        await within({ ...superuser, user: 'temporal', password, database }, 'CREATE TABLE IF NOT EXISTS used ()');
    },
  };
}

test('a second run leaves the databases and sets the password', async () => {
  const server = await startServer();
  expect(server.create()).toEqual({ status: 0, stdout: '', stderr: '' });
  await server.use(PASSWORD);
  expect(server.create('another')).toEqual({ status: 0, stdout: '', stderr: '' });
  await server.use('another');
  await expect(server.use(PASSWORD)).rejects.toThrow('password authentication failed');
});

test('a run after an interrupted one creates what is missing', async () => {
  const server = await startServer();
  await server.query('CREATE ROLE temporal');
  expect(server.create()).toMatchObject({ status: 0 });
  await server.use(PASSWORD);
  await server.query('DROP DATABASE temporal_visibility');
  expect(server.create()).toMatchObject({ status: 0 });
  await server.use(PASSWORD);
});

test('a run without a password or a server fails with the reason', () => {
  const file = path.join(testFolder(), 'password');
  const settings = { PGHOST: '127.0.0.1', PGPORT: '1', PGPASSWORD: 'x', TEMPORAL_PASSWORD_FILE: file };
  writeFileSync(file, '');
  const empty = runScript(settings);
  expect(empty.status).not.toBe(0);
  expect(empty.stderr).toContain('is empty: write the password of the role temporal into it');
  writeFileSync(file, 'x');
  const unreachable = runScript(settings);
  expect(unreachable.status).not.toBe(0);
  expect(unreachable.stderr).toContain('Connection refused');
});
