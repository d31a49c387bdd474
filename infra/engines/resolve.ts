import { randomUUID } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Environment } from '../../config/process-environment.ts';
import { syncFolder } from '../instance/atomic-file.ts';
import { acquireLock } from '../supervisor/lock.ts';
import { processStartTime } from '../supervisor/process-identity.ts';
import type { Progress, ProgressStep } from '../supervisor/progress.ts';
import { EngineError } from './engine-error.ts';
import { buildWithGo } from './go-build.ts';
import type { Engine, EngineProgram } from './pinned.ts';
import { cacheEntry, findOnPath, hasPinnedVersion, isProgram } from './program-files.ts';
import { fetchRelease, OFFICIAL_RELEASES } from './release.ts';

export interface ResolveOptions {
  readonly cacheDir: string;
  readonly environment: Environment;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  /** Address of official releases: a mirror or a test server. */
  readonly releases?: string | undefined;
}

export type EngineSource = 'given path' | 'PATH' | 'cache' | 'official release' | 'Go build';

export interface FoundProgram {
  readonly file: string;
  readonly source: EngineSource;
}

export type FoundPrograms = ReadonlyMap<EngineProgram['name'], FoundProgram>;

/** Input of a source of an engine. */
export interface MakeContext {
  readonly os: string;
  readonly architecture: string;
  readonly releases: string;
  readonly environment: Environment;
  readonly signal: AbortSignal;
  readonly update: (text: string) => void;
}

/** An engine that could not be resolved, with the attempts. */
export interface Unavailable {
  readonly engine: Engine;
  readonly entry: string;
  readonly tried: readonly string[];
}

const WAIT_FOR_OTHER_MS = 300;

/**
 * Finds an existing engine: by its variable, then the PATH (pinned version only), then the cache.
 * @throws EngineError `bad-path` if a given path is not a program
 */
export async function lookUpEngine(
  engine: Engine,
  options: Pick<ResolveOptions, 'cacheDir' | 'environment'>,
): Promise<{ found: Map<EngineProgram['name'], FoundProgram>; tried: string[] }> {
  const found = new Map<EngineProgram['name'], FoundProgram>();
  const tried: string[] = [];
  const entry = cacheEntry(options.cacheDir, engine, process.platform, process.arch);
  for (const program of engine.programs) {
    const given = options.environment[program.variable];
    if (given) {
      found.set(program.name, { file: givenProgram(program, given), source: 'given path' });
      continue;
    }
    const onPath = findOnPath(program.pathNames, options.environment);
    if (onPath !== null && (await hasPinnedVersion(onPath, program, engine.version))) {
      found.set(program.name, { file: onPath, source: 'PATH' });
      continue;
    }
    tried.push(
      onPath === null
        ? `PATH: no ${program.pathNames.join(' or ')}`
        : `PATH: ${onPath} is not version ${engine.version}`,
    );
    const cached = path.join(entry, program.name);
    if (isCached(cached)) found.set(program.name, { file: cached, source: 'cache' });
    else tried.push(`cache: no ${cached}`);
  }
  return { found, tried };
}

/**
 * Returns the programs of an engine: found, downloaded or built, in this order; `Unavailable` if all fail.
 * Rejects with EngineError `bad-path` or `aborted`.
 */
export async function resolveEngine(engine: Engine, options: ResolveOptions): Promise<FoundPrograms | Unavailable> {
  const step = options.progress.step(`engine ${engine.name}`);
  const { found, tried } = await lookUpEngine(engine, options);
  if (found.size === engine.programs.length) {
    step.done(
      `${engine.version}, from ${[...new Set([...found.values()].map((program) => program.source))].join(' and ')}`,
    );
    return found;
  }
  const entry = cacheEntry(options.cacheDir, engine, process.platform, process.arch);
  const source = await makeEntry(engine, entry, options, step, tried);
  if (source === null) {
    step.fail('not available');
    return { engine, entry, tried };
  }
  for (const program of engine.programs) {
    if (!found.has(program.name)) found.set(program.name, { file: path.join(entry, program.name), source });
  }
  step.done(`${engine.version}, from ${source}`);
  return found;
}

/** Resolves all engines. @throws EngineError `unavailable` with the required files and folders */
export async function resolveEngines(engines: readonly Engine[], options: ResolveOptions): Promise<FoundPrograms> {
  const all = new Map<EngineProgram['name'], FoundProgram>();
  const missing: Unavailable[] = [];
  for (const engine of engines) {
    const resolved = await resolveEngine(engine, options);
    if ('tried' in resolved) missing.push(resolved);
    else for (const [name, program] of resolved) all.set(name, program);
  }
  if (missing.length > 0) throw new EngineError('unavailable', missing.map(explainMissing).join('\n\n'));
  return all;
}

function explainMissing({ engine, entry, tried }: Unavailable): string {
  const files = engine.programs.map(
    (program) => `  ${path.join(entry, program.name)}   (or set ${program.variable} to its path)`,
  );
  return [
    `${engine.name} ${engine.version} for ${process.platform} ${process.arch} is not installed and could not be downloaded or built. Tried:`,
    ...tried.map((line) => `  - ${line}`),
    `Put ${engine.programs.map((program) => program.name).join(' and ')} of version ${engine.version}, executable, here:`,
    ...files,
    'or connect to the network, or install Go, and run the command again.',
  ].join('\n');
}

function givenProgram(program: EngineProgram, given: string): string {
  const file = path.resolve(given);
  if (isProgram(file)) return file;
  throw new EngineError(
    'bad-path',
    `${program.variable} names ${file}, which is not an executable file. Correct it, or unset it to let Recollect find ${program.name}.`,
  );
}

/** A manually placed file may lack the executable bit. */
function isCached(file: string): boolean {
  if (isProgram(file)) return true;
  try {
    if (!statSync(file).isFile()) return false;
    chmodSync(file, 0o755);
  } catch {
    return false;
  }
  return isProgram(file);
}

/** Creates a cache entry under a lock; returns its source, or null with the reasons added to `tried`. */
async function makeEntry(
  engine: Engine,
  entry: string,
  options: ResolveOptions,
  step: ProgressStep,
  tried: string[],
): Promise<EngineSource | null> {
  mkdirSync(path.dirname(entry), { recursive: true });
  for (;;) {
    const lock = acquireLock(`${entry}.lock`);
    if (lock.kind === 'acquired') {
      try {
        return await makeLocked(engine, entry, options, step, tried);
      } finally {
        lock.release();
      }
    }
    step.update(`waiting for process ${lock.holder.pid}, which is downloading or building it`);
    await delay(WAIT_FOR_OTHER_MS, undefined, { signal: options.signal }).catch(() => throwIfAborted(options.signal));
  }
}

async function makeLocked(
  engine: Engine,
  entry: string,
  options: ResolveOptions,
  step: ProgressStep,
  tried: string[],
): Promise<EngineSource | null> {
  if (engine.programs.every((program) => isCached(path.join(entry, program.name)))) return 'cache';
  clearUnfinished(path.dirname(entry));
  const context: MakeContext = {
    os: process.platform,
    architecture: process.arch,
    releases: options.releases ?? options.environment['RECOLLECT_RELEASES_URL'] ?? OFFICIAL_RELEASES,
    environment: options.environment,
    signal: options.signal,
    update: (text) => step.update(text),
  };
  const ways = [
    { source: 'official release', make: fetchRelease },
    { source: 'Go build', make: buildWithGo },
  ] as const;
  for (const way of ways) {
    step.update(`trying: ${way.source}`);
    const unfinished = mkdtempSync(path.join(path.dirname(entry), `.unfinished-${process.pid}-`));
    try {
      await way.make(engine, unfinished, context);
      putInPlace(unfinished, entry);
      return way.source;
    } catch (error) {
      throwIfAborted(options.signal);
      tried.push(`${way.source}: ${error instanceof Error ? error.message : String(error)}`);
    } finally {
      rmSync(unfinished, { recursive: true, force: true });
    }
  }
  return null;
}

/** Moves a build into the cache; an incomplete entry there is moved aside. */
function putInPlace(unfinished: string, entry: string): void {
  chmodSync(unfinished, 0o755);
  if (existsSync(entry)) renameSync(entry, path.join(path.dirname(entry), `.unfinished-0-${randomUUID()}`));
  renameSync(unfinished, entry);
  syncFolder(path.dirname(entry));
  clearUnfinished(path.dirname(entry));
}

/** Removes unfinished builds of dead processes. */
function clearUnfinished(folder: string): void {
  for (const name of readdirSync(folder)) {
    const owner = /^\.unfinished-(\d+)-/.exec(name)?.[1];
    if (owner === undefined || Number(owner) === process.pid) continue;
    if (owner === '0' || processStartTime(Number(owner)) === null)
      rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new EngineError('aborted', 'Stopped while an engine was being downloaded or built.');
}
