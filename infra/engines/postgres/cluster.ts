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
} from 'node:fs';
import path from 'node:path';
import { syncFolder } from '../../instance/atomic-file.ts';
import { isSystemError } from '../../instance/json-file.ts';
import { EngineError } from '../engine-error.ts';
import { runTool } from '../run-tool.ts';
import type { PostgresBinaries } from './binaries.ts';
import { giveTo, invoke, type RunAs } from './run-as.ts';

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
