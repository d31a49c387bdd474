/** What starts an instance at login, whatever the system that does it. All paths absolute. */
export interface ServiceDefinition {
  readonly node: string;
  /** The file that Node runs as the `recollect` command. */
  readonly cli: string;
  readonly dataDir: string;
  /** PATH of the service, so that engines are found where they are found now. */
  readonly searchPath: string;
}

/** How long the instance may take to stop before it is killed: PostgreSQL writes what it holds, workers finish their step. */
export const STOP_SECONDS = 90;

/** The command that the service runs. */
export function serviceCommand({ node, cli, dataDir }: ServiceDefinition): string[] {
  return [node, '--max-semi-space-size=4', cli, 'up', '--data-dir', dataDir];
}

/** A value that no unit or agent file can hold. */
export class ServiceValueError extends Error {
  override readonly name = 'ServiceValueError';
}

/** Throws ServiceValueError for a value with a line break or another control character: it would begin a line of its own. */
export function checkValues(definition: ServiceDefinition): void {
  for (const value of Object.values(definition))
    if (/\p{Cc}/u.test(value))
      throw new ServiceValueError('A path with a control character cannot stand in a service file.');
}
