import path from 'node:path';
import type { ServiceDefinition } from './definitions.ts';

const PROJECT_FOLDER = path.resolve(import.meta.dirname, '..', '..');

export interface NodeServiceOptions {
  readonly name: 'worker' | 'api';
  /** Relative to the project. */
  readonly entry: string;
  readonly after: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** How long it may finish what it has begun. */
  readonly stopGraceMs: number;
}

/** A process of our own, run by this same Node. It says that it is ready over its channel, and stops when that closes. */
export function nodeService(options: NodeServiceOptions): ServiceDefinition {
  const command = {
    file: process.execPath,
    args: [path.join(PROJECT_FOLDER, options.entry)],
    environment: options.environment,
    workingDirectory: PROJECT_FOLDER,
  };
  return {
    kind: 'service',
    name: options.name,
    after: options.after,
    prepare: () => Promise.resolve(command),
    readiness: { kind: 'message' },
    readyTimeoutMs: 90_000,
    stopSignal: 'SIGTERM',
    stopGraceMs: options.stopGraceMs,
    emergencySignal: 'SIGKILL',
  };
}
