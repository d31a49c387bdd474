import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  rmdirSync,
  writeFileSync,
  readlinkSync,
  realpathSync,
} from 'node:fs';
import path from 'node:path';
import { syncFolder } from '../../instance/atomic-file.ts';
import { isSystemError } from '../../instance/json-file.ts';
import { EngineError } from '../engine-error.ts';
import { runTool } from '../run-tool.ts';
import type { PostgresBinaries } from './binaries.ts';
import { giveTo, invoke } from './run-as.ts';
import type { RunAs } from './run-as.ts';
import { execFileSync } from 'node:child_process';
import { endLeftovers } from '../../supervisor/orphans.ts';
import { identifyProcess } from '../../supervisor/process-identity.ts';

/**
 * Cleans up after a killed PostgreSQL: ends a server that still runs on the folder, and removes a lock file whose process id belongs to
 * another program, which would prevent the start.
 */
export async function clearStalePostmaster(folder: string): Promise<void> {
  const lockFile = path.join(folder, 'postmaster.pid');
  let pid: number;
  try {
    pid = Number(readFileSync(lockFile, 'utf8').split('\n')[0]);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return;
    throw error;
  }
  const identity = Number.isInteger(pid) && pid > 0 ? identifyProcess(pid) : null;
  if (identity !== null && worksIn(pid, folder)) {
    await endLeftovers([{ ...identity, name: 'postgres', stopSignal: 'SIGINT' }]);
    return;
  }
  rmSync(lockFile, { force: true });
}

/** Returns true for a PostgreSQL of this folder, which is its working directory. */
function worksIn(pid: number, folder: string): boolean {
  const own = realpathSync(folder);
  try {
    if (process.platform === 'linux') return readlinkSync(`/proc/${pid}/cwd`) === own;
    const command = execFileSync('ps', ['-o', 'command=', '-p', String(pid)], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return command.includes('postgres') && (command.includes(folder) || command.includes(own));
  } catch {
    return false; // Ended, or of another user.
  }
}

export const POSTGRES_MAJOR = '18';
export const SUPERUSER = 'postgres';

const UNFINISHED = '.new-';

export interface ClusterOptions {
  /** Database folder; exists only if complete. */
  readonly folder: string;
  readonly binaries: PostgresBinaries;
  readonly runAs: RunAs;
  readonly password: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly update: (text: string) => void;
}

/**
 * Creates the database files unless they exist, in a temporary folder that is renamed, so that a killed start
 * leaves no incomplete database. @throws EngineError
 */
export async function ensureCluster(options: ClusterOptions): Promise<void> {
  const { folder } = options;
  if (isComplete(folder)) {
    giveTo(options.runAs, folder);
    return;
  }
  removeLeftovers(folder, options.update);
  removeUnfinished(folder);
  // A unique name: a tool of a killed start may still write to an older folder.
  const unfinished = `${folder}${UNFINISHED}${process.pid}`;
  const passwordFile = `${unfinished}.password`;
  options.update('creating the database files');
  writeFileSync(passwordFile, options.password, { mode: 0o600 });
  try {
    await initialise(options, unfinished, passwordFile);
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(unfinished, folder);
  syncFolder(path.dirname(folder));
}

async function initialise(options: ClusterOptions, unfinished: string, passwordFile: string): Promise<void> {
  const { runAs } = options;
  if (runAs.kind === 'user') {
    // That user can write only its own folder; initdb accepts an empty one.
    mkdirSync(unfinished, { mode: 0o700 });
    giveTo(runAs, unfinished);
    chownSync(passwordFile, runAs.uid, runAs.gid);
  }
  const flags = ['-D', unfinished, '-U', SUPERUSER, '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
  const locale = ['--encoding=UTF8', '--locale=C.UTF-8', '--no-instructions'];
  const result = await runTool({
    ...invoke(runAs, options.binaries.initdb, [...flags, ...locale]),
    environment: options.environment,
    workingDirectory: runAs.kind === 'user' ? '/' : path.dirname(unfinished),
    signal: options.signal,
  });
  if (result.exitCode !== 0) {
    throw new EngineError(
      'set-up-failed',
      `The database files could not be created (initdb exited with ${result.exitCode}):\n${result.lines.join('\n')}`,
    );
  }
}

/** Removes temporary folders of killed starts. */
function removeUnfinished(folder: string): void {
  const prefix = `${path.basename(folder)}${UNFINISHED}`;
  for (const name of readdirSync(path.dirname(folder))) {
    if (name.startsWith(prefix))
      rmSync(path.join(path.dirname(folder), name), { recursive: true, force: true, maxRetries: 10 });
  }
}

/** @throws EngineError if the files are of another major version of PostgreSQL */
function isComplete(folder: string): boolean {
  let version: string;
  try {
    version = readFileSync(path.join(folder, 'PG_VERSION'), 'utf8').trim();
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false;
    throw error;
  }
  if (!existsSync(path.join(folder, 'global', 'pg_control'))) return false;
  if (version === POSTGRES_MAJOR) return true;
  throw new EngineError(
    'database-damaged',
    `The database in ${folder} is of PostgreSQL ${version}; this version has ${POSTGRES_MAJOR}. Export it with the older version and import it here.`,
  );
}

/** Files without a control file were never a working database; moved aside instead of deleted. */
function removeLeftovers(folder: string, update: (text: string) => void): void {
  if (!existsSync(folder)) return;
  if (readdirSync(folder).length === 0) {
    rmdirSync(folder);
    return;
  }
  if (existsSync(path.join(folder, 'global', 'pg_control'))) {
    throw new EngineError(
      'database-damaged',
      `The database in ${folder} has lost its PG_VERSION file. Restore the folder from a backup.`,
    );
  }
  const aside = `${folder}.unfinished-${Date.now()}`;
  renameSync(folder, aside);
  update(`an unfinished database was moved to ${path.basename(aside)}`);
}
