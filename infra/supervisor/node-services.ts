import path from 'node:path';
import type { ServiceDefinition } from './definitions.ts';

const PROJECT_FOLDER = path.resolve(import.meta.dirname, '..', '..');

/**
 * V8 sizes its young generation by the machine (128 MB for 24 GB), more than short requests need. The bound of the old
 * generation causes earlier collection and suffices for several bodies of 32 MiB.
 */
const MEMORY_FLAGS = ['--max-semi-space-size=8', '--max-old-space-size=768'] as const;

export interface NodeServiceOptions {
  readonly name: 'worker' | 'api';
  /** Relative to the project. */
  readonly entry: string;
  readonly after: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly ports: readonly number[];
  /** Time to finish its work on shutdown. */
  readonly stopGraceMs: number;
}

/** Returns a service run by the current Node. It reports ready over its channel and stops when the channel closes. */
export function nodeService(options: NodeServiceOptions): ServiceDefinition {
  const command = {
    file: process.execPath,
    args: [...MEMORY_FLAGS, path.join(PROJECT_FOLDER, options.entry)],
    environment: options.environment,
    workingDirectory: PROJECT_FOLDER,
  };
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
