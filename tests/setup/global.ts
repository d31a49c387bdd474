import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statfsSync } from 'node:fs';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { TestProject } from 'vitest/node';
import { processEnvironment } from '../../config/process-environment.ts';
import { bootstrapDatabase } from '../../infra/bootstrap/database.ts';
import { ensureModelFiles } from '../../infra/bootstrap/model-files.ts';
import { startEngines } from './start-engines.ts';
import { cacheDirectory } from '../../infra/instance/layout.ts';
import { superuserUrl } from '../../infra/instance/environment.ts';
import { processOutput } from '../../cli/output.ts';
import { terminalProgress } from '../../cli/text/terminal-progress.ts';
import { READER_ROLE, TEMPLATE_DATABASE } from './provided.ts';

const MEMORY_FOLDER = '/dev/shm';
const LEAST_MEMORY_BYTES = 4 * 1_024 ** 3;
const DATA_FOLDER = /^recollect-test-(\d+)-/;

/** Removes the data of killed runs, which would take memory until the machine restarts. */
function removeAbandoned(): void {
  for (const name of readdirSync(MEMORY_FOLDER)) {
    const pid = DATA_FOLDER.exec(name)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`))
      rmSync(join(MEMORY_FOLDER, name), { recursive: true, force: true });
  }
}

/** Returns a folder in memory if there is space, else the temporary folder: the suite waits for thousands of commits, and no test of it is about their durability. */
function scratchFolder(): string {
  if (!existsSync(MEMORY_FOLDER)) return tmpdir();
  removeAbandoned();
  const { bavail, bsize } = statfsSync(MEMORY_FOLDER);
  return Math.min(bavail * bsize, freemem()) < LEAST_MEMORY_BYTES ? tmpdir() : MEMORY_FOLDER;
}

/** Starts PostgreSQL, Temporal and Weaviate once for all integration tests, on a scratch data directory, and removes both afterwards. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const environment = processEnvironment();
  const cacheDir = cacheDirectory(environment);
  const dataDir = mkdtempSync(join(scratchFolder(), `recollect-test-${process.pid}-`));
  chmodSync(dataDir, 0o755);
  const signal = new AbortController().signal;
  const engines = await startEngines({
    dataDir,
    cacheDir,
    // Memory is not scarce here; collecting garbage takes a fifth of Temporal's time by default.
    environment: { ...environment, GOGC: '400' },
    progress: terminalProgress({ ...processOutput(), columns: null }, { verbose: false }),
    signal,
  });
  try {
    const {
      postgresOwner: owner,
      postgresApp: app,
      postgresMaintenance: maintenance,
      postgresRestore: restore,
    } = engines.instance.secrets;
    const passwords = { owner, app, maintenance, restore };
    await bootstrapDatabase({
      superuserUrl: superuserUrl(engines.instance),
      databaseName: TEMPLATE_DATABASE,
      passwords,
      progress: () => {},
    });
    const superuser = new pg.Client({ connectionString: superuserUrl(engines.instance) });
    await superuser.connect();
    await superuser.query(`CREATE ROLE ${READER_ROLE} BYPASSRLS IN ROLE pg_read_all_data, pg_monitor`);
    await superuser.end();
    await ensureModelFiles({ cacheDir, environment, progress: (line) => process.stderr.write(`${line}\n`), signal });
    project.provide('engines', { postgres: engines.postgres, temporal: engines.temporal, weaviate: engines.weaviate });
    project.provide('roles', passwords);
    project.provide('cacheDir', cacheDir);
  } catch (error) {
    await engines.stop();
    throw error;
  }
  return async () => {
    await engines.stop();
    rmSync(dataDir, { recursive: true, force: true });
  };
}
