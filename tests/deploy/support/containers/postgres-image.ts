import { spawnSync } from 'node:child_process';
import { appendFileSync, copyFileSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { findPostgresBinaries, foldersOf } from '../../../../infra/engines/postgres/binaries.ts';
import { SUPERUSER } from '../../../../infra/engines/postgres/cluster.ts';
import { withLibraries } from '../../../../infra/engines/postgres/libraries.ts';
import { chooseRunAs, giveTo, invoke } from '../../../../infra/engines/postgres/run-as.ts';
import type { Invocation } from '../../../../infra/engines/postgres/run-as.ts';

/** Where the image of PostgreSQL 18 has its data, unless PGDATA names another folder. */
export const DATA_FOLDER = '/var/lib/postgresql/18/docker';

/** A server that the entry point of PostgreSQL's image is about to start. */
export interface PostgresStart {
  /** Arguments behind `postgres`. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly cacheDir: string;
}

/**
 * Does what the entry point of PostgreSQL's image does: creates the data in PGDATA at the first start, with the arguments and the password of the
 * image's variables, and returns the call of the server with its variables. The server listens on loopback without a socket.
 */
export async function startPostgresImage({ args, environment, cacheDir }: PostgresStart) {
  const binaries = withLibraries(await findPostgresBinaries(), cacheDir);
  const variables = { ...environment, ...binaries.environment };
  const { PGDATA: folder = '', POSTGRES_PASSWORD_FILE = '', POSTGRES_INITDB_ARGS = '' } = environment;
  const volume = path.dirname(folder);
  const runAs = chooseRunAs([...foldersOf(binaries), volume]);
  mkdirSync(volume, { recursive: true });
  giveTo(runAs, volume);
  if (!existsSync(path.join(folder, 'PG_VERSION'))) {
    // Readable by the user of the server.
    const password = path.join(volume, 'password');
    copyFileSync(POSTGRES_PASSWORD_FILE, password);
    if (runAs.kind === 'user') giveTo(runAs, password);
    const flags = [`--username=${SUPERUSER}`, `--pwfile=${password}`, '--auth-host=scram-sha-256', '-D', folder];
    const call: Invocation = invoke(runAs, binaries.initdb, [...flags, ...POSTGRES_INITDB_ARGS.split(' ')]);
    const { status, stderr } = spawnSync(call.file, [...call.args], { ...call, env: variables, encoding: 'utf8' });
    rmSync(password);
    if (status !== 0) throw new Error(`initdb ended with ${status}: ${stderr}`);
    appendFileSync(
      path.join(folder, 'postgresql.conf'),
      "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\n",
    );
  }
  return { ...invoke(runAs, binaries.postgres, args), environment: variables };
}
