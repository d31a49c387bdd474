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
  /** Where official releases are fetched: a mirror, or a server of a test. */
  readonly releases?: string | undefined;
}

export type EngineSource = 'given path' | 'PATH' | 'cache' | 'official release' | 'Go build';

export interface FoundProgram {
  readonly file: string;
  readonly source: EngineSource;
}

export type FoundPrograms = ReadonlyMap<EngineProgram['name'], FoundProgram>;

/** What a way of making an engine gets to know. */
export interface MakeContext {
  readonly os: string;
  readonly architecture: string;
  readonly releases: string;
  readonly environment: Environment;
  readonly signal: AbortSignal;
  readonly update: (text: string) => void;
}

/** One engine that was not found, with all that was tried. */
export interface Unavailable {
  readonly engine: Engine;
  readonly entry: string;
  readonly tried: readonly string[];
}

const WAIT_FOR_OTHER_MS = 300;

/**
 * Finds what needs no making: a given path, then the PATH (the pinned version only), then the cache.
 * Throws EngineError `bad-path` when a given path is no program: falling through would hide the mistake.
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
 * The programs of an engine: found, or fetched, or built, whichever comes first. Answers `Unavailable` when nothing worked.
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

/** Resolves all engines, or throws one EngineError `unavailable` that says for each which file to put where. */
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
    (program) => `  ${path.join(entry, program.name)}   (or set ${program.variable} to where it is)`,
  );
  return [
    `${engine.name} ${engine.version} for ${process.platform} ${process.arch} is not on this machine and could not be made. Tried:`,
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
    `${program.variable} names ${file}, which is no executable file. Correct it, or unset it to let Recollect find ${program.name}.`,
  );
}

/** A file that somebody put there by hand may lack its executable bit. */
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

/** Makes a cache entry while no other process does; answers how, or null with the reasons added to `tried`. */
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
    if (lock.kind === 'held') {
      try {
        return await makeLocked(engine, entry, options, step, tried);
      } finally {
        lock.release();
      }
    }
    step.update(`waiting for process ${lock.holder.pid}, which is making it`);
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

/** A killed build leaves its own folder, never half an entry; whatever incomplete entry lies there is moved out of the way. */
function putInPlace(unfinished: string, entry: string): void {
  chmodSync(unfinished, 0o755);
  if (existsSync(entry)) renameSync(entry, path.join(path.dirname(entry), `.unfinished-0-${randomUUID()}`));
  renameSync(unfinished, entry);
  syncFolder(path.dirname(entry));
  clearUnfinished(path.dirname(entry));
}

/** Removes what processes that no longer live have left unfinished. */
function clearUnfinished(folder: string): void {
  for (const name of readdirSync(folder)) {
    const owner = /^\.unfinished-(\d+)-/.exec(name)?.[1];
    if (owner === undefined || Number(owner) === process.pid) continue;
    if (owner === '0' || processStartTime(Number(owner)) === null)
      rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw new EngineError('aborted', 'Stopped while an engine was being made.');
}
