import type { Environment } from '../config/process-environment.ts';
import type { Output } from './output.ts';

/** What a command gets from the process that runs it. */
export interface CommandContext {
  readonly environment: Environment;
  readonly output: Output;
}

/** What a command answers to its shell. 3: the instance does not run. 130: stopped by the user. */
export type ExitCode = 0 | 1 | 3 | 130;
