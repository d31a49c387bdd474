/** A service that starts at login: an instance, or the import of transcripts to a remote server. Paths are absolute. */
export interface ServiceDefinition {
  readonly node: string;
  /** The file that Node runs as the `recollect` command. */
  readonly cli: string;
  readonly dataDir: string;
  /** PATH of the service, to find the same engines. */
  readonly searchPath: string;
  /** Folder of transcripts to send to a remote server; null: run the instance. */
  readonly follows: string | null;
}

/** Time to stop before the manager kills the service: PostgreSQL flushes, workers finish their step. */
export const STOP_SECONDS = 90;

/** Returns the command of the service. */
export function serviceCommand({ node, cli, dataDir, follows }: ServiceDefinition): string[] {
  const command = follows === null ? ['up'] : ['import', 'transcripts', follows, '--follow'];
  return [node, '--max-semi-space-size=4', cli, ...command, '--data-dir', dataDir];
}

/** Returns the restart delay: short for an instance, long for an import that a server permanently rejects. */
export function restartSeconds({ follows }: ServiceDefinition): number {
  return follows === null ? 5 : 60;
}

/** A value that cannot be written to a service file. */
export class ServiceValueError extends Error {
  override readonly name = 'ServiceValueError';
}

/** @throws ServiceValueError for a value with a control character, which could add lines to the file */
export function checkValues(definition: ServiceDefinition): void {
  for (const value of Object.values(definition))
    if (typeof value === 'string' && /\p{Cc}/u.test(value))
      throw new ServiceValueError('Paths with control characters cannot be written to a service file.');
}
