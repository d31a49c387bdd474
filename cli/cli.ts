import { Command } from 'commander';
import { RecollectClient, RecollectError } from '../client/index.ts';
import type { RecollectApi } from '../client/index.ts';
import type { CommandContext, ExitCode } from './command-context.ts';
import { dataDirOf, withDataDir } from './options.ts';
import { isElsewhere, serverAccess } from './server/access.ts';
import type { Credentials } from './server/access.ts';
import { projectSchema } from '../contract/projects.ts';
import { path, ServerClient } from './server/server-client.ts';
import { failureText, isUnavailable } from './text/failure-text.ts';
import { writeRecalled } from './text/memory-text.ts';

/** The server waits up to 60 s for a session's request. */
const TIMEOUT_MS = 75_000;
/** Interactive: the user can repeat the command. */
const RETRIES = 1;

/** Work of a command. The process exits with the returned code; with 0 without one. */
type Work<Given extends readonly unknown[]> = (...given: Given) => Promise<ExitCode | void>;

/** Adds a command to the program. */
export type AddCommand = (program: Command, cli: Cli) => void;

/** The context of commands, with the frame that they share: the option `--data-dir`, the server, output as JSON or text, the exit code. */
export class Cli implements CommandContext {
  readonly environment: CommandContext['environment'];
  readonly output: CommandContext['output'];
  readonly exit: (code: ExitCode) => void;

  /** `exit` ends the process with a code. */
  constructor({ environment, output }: CommandContext, exit: (code: ExitCode) => void) {
    this.environment = environment;
    this.output = output;
    this.exit = exit;
  }

  /** Adds a command with the option `--data-dir`. */
  command(parent: Command, name: string, description: string): Command {
    return withDataDir(parent.command(name), this.environment).description(description);
  }

  /** Returns an action that works with the session, job and admin routes. `given`: arguments, options, command. */
  onServer<Given extends readonly unknown[]>(work: Work<[ServerClient, ...Given]>): (...given: Given) => Promise<void> {
    return (...given) =>
      this.withAccess(given, ({ url, apiKey }) =>
        work(new ServerClient({ url, apiKey, timeoutMs: TIMEOUT_MS }), ...given),
      );
  }

  /** Returns an action that works with the memory routes. `given`: arguments, options, command. */
  onMemory<Given extends readonly unknown[]>(work: Work<[RecollectApi, ...Given]>): (...given: Given) => Promise<void> {
    return (...given) =>
      this.withAccess(given, (access) => work(new RecollectClient({ ...access, retries: RETRIES }), ...given));
  }

  /** Prints an answer: as JSON on request, else as text. */
  print(json: boolean | undefined, answer: unknown, text: string): void {
    this.output.out(json === true ? `${JSON.stringify(answer)}\n` : text);
  }

  /** Prints an answer with recalled text: as JSON on request, else as text that capture does not store again. */
  printRecalled(json: boolean | undefined, answer: unknown, text: string): void {
    if (json === true) this.print(json, answer, text);
    else writeRecalled(this.output, text);
  }

  /** Runs `work` with the server's access. Prints a failure with its remedy; exit code 3 without a server, 1 for an error response. */
  private async withAccess(given: readonly unknown[], work: Work<[Credentials]>): Promise<void> {
    // Commander passes the command last.
    const last = given.at(-1);
    const command = last instanceof Command ? last : undefined;
    const dataDir = command === undefined ? '' : dataDirOf(command);
    const access = serverAccess(dataDir, this.environment);
    if (access === null) {
      this.output.err(`There is no instance in ${dataDir} yet. Start one with recollect up (npm start in a clone).\n`);
      return this.exit(3);
    }
    try {
      await checkProject(access, command);
      this.exit((await work(access)) ?? 0);
    } catch (error) {
      if (!(error instanceof RecollectError)) throw error;
      const surroundings = { command, dataDir, isElsewhere: isElsewhere(dataDir, this.environment) };
      this.output.err(failureText(error, surroundings));
      this.exit(isUnavailable(error) ? 3 : 1);
    }
  }
}

/** Checks that the project of a command's `--project` exists: a filter by an unknown one would be an empty answer. @throws RecollectError NOT_FOUND */
async function checkProject({ url, apiKey }: Credentials, command: Command | undefined): Promise<void> {
  const project: unknown = command?.getOptionValue('project');
  // `remember` creates it.
  if (command === undefined || typeof project !== 'string' || command.name() === 'remember') return;
  await new ServerClient({ url, apiKey, timeoutMs: TIMEOUT_MS }).get(path`/projects/${project}`, projectSchema);
}
