/** What starts at login, whatever the system that does it: an instance, or what sends transcripts to one elsewhere. All paths absolute. */
export interface ServiceDefinition {
  readonly node: string;
  /** The file that Node runs as the `recollect` command. */
  readonly cli: string;
  readonly dataDir: string;
  /** PATH of the service, so that engines are found where they are found now. */
  readonly searchPath: string;
  /** Transcripts that are sent to the server on another machine as they grow; null: the instance of the data directory is run. */
  readonly follows: string | null;
}

/** How long the instance may take to stop before it is killed: PostgreSQL writes what it holds, workers finish their step. */
export const STOP_SECONDS = 90;

/** The command that the service runs. */
export function serviceCommand({ node, cli, dataDir, follows }: ServiceDefinition): string[] {
  const command = follows === null ? ['up'] : ['import', 'transcripts', follows, '--follow'];
  return [node, '--max-semi-space-size=4', cli, ...command, '--data-dir', dataDir];
}

/** After how many seconds it is started again: at once what others wait for, later what the server refused for a reason that stays. */
export function restartSeconds({ follows }: ServiceDefinition): number {
  return follows === null ? 5 : 60;
}

/** A value that no unit or agent file can hold. */
export class ServiceValueError extends Error {
  override readonly name = 'ServiceValueError';
}

/** Throws ServiceValueError for a value with a line break or another control character: it would begin a line of its own. */
export function checkValues(definition: ServiceDefinition): void {
  for (const value of Object.values(definition))
    if (typeof value === 'string' && /\p{Cc}/u.test(value))
      throw new ServiceValueError('A path with a control character cannot stand in a service file.');
}
