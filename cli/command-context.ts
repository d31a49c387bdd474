import type { Environment } from '../config/process-environment.ts';
import type { Output } from './output.ts';

/** Environment and output of the process that runs a command. */
export interface CommandContext {
  readonly environment: Environment;
  readonly output: Output;
}

/** Exit code of a command. 3: the instance does not run. 130: stopped by the user. */
export type ExitCode = 0 | 1 | 3 | 130;
