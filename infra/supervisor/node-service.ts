import path from 'node:path';
import { MODULE_EXTENSION } from '../../config/module-files.ts';
import { compileCacheIn } from '../instance/layout.ts';
import type { Command, ServiceDefinition } from './definitions.ts';

const PROJECT_FOLDER = path.resolve(import.meta.dirname, '..', '..');

/**
 * V8 sizes its young generation by the machine (128 MB for 24 GB), more than short requests need. The bound of the old
 * generation causes earlier collection and suffices for several bodies of 32 MiB.
 */
const MEMORY_FLAGS = ['--max-semi-space-size=8', '--max-old-space-size=768'] as const;
/** Freed blocks of this size return to the system. */
const MALLOC_RETURN_BYTES = 4 * 1024 * 1024;

/** Module of a process, relative to the project, without its extension. */
type Entry = 'api/main' | 'workers/main';

interface NodeServiceOptions {
  readonly name: 'worker' | 'api';
  readonly entry: Entry;
  readonly after: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly ports: readonly number[];
  /** Time to finish its work on shutdown. */
  readonly stopGraceMs: number;
}

/**
 * Memory settings of Recollect's processes: the compile cache of stripped TypeScript (17–20 MB less per process), and
 * a C allocator that returns the memory of embedding batches (130 MB instead of 160–200 after indexing).
 */
export function nodeEnvironment(cacheDir: string): Record<string, string> {
  return {
    NODE_COMPILE_CACHE: compileCacheIn(cacheDir),
    MALLOC_ARENA_MAX: '2',
    MALLOC_MMAP_THRESHOLD_: String(MALLOC_RETURN_BYTES),
    MALLOC_TRIM_THRESHOLD_: String(MALLOC_RETURN_BYTES),
  };
}

/** Returns the command of a process of Recollect, run by the current Node. */
export function nodeCommand(entry: Entry, environment: Readonly<Record<string, string>>): Command {
  return {
    file: process.execPath,
    args: [...MEMORY_FLAGS, path.join(PROJECT_FOLDER, `${entry}${MODULE_EXTENSION}`)],
    environment,
    workingDirectory: PROJECT_FOLDER,
  };
}

/** Returns a service run by the current Node. It reports ready over its channel and stops when the channel closes. */
export function nodeService(options: NodeServiceOptions): ServiceDefinition {
  const command = nodeCommand(options.entry, options.environment);
  return {
    kind: 'service',
    name: options.name,
    after: options.after,
    prepare: () => Promise.resolve(command),
    ports: options.ports,
    readiness: { kind: 'message' },
    readyTimeoutMs: 90_000,
    stopSignal: 'SIGTERM',
    stopGraceMs: options.stopGraceMs,
    emergencySignal: 'SIGKILL',
  };
}
