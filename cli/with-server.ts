import { existsSync } from 'node:fs';
import path from 'node:path';
import { readCredentials } from './server/credentials.ts';
import { ClientError, ServerClient } from './server/server-client.ts';
import { Steering } from './server/steering.ts';
import type { CommandContext, ExitCode } from './command-context.ts';

/** A session's orders are waited for up to a minute. */
const TIMEOUT_MS = 75_000;
/** The server that this machine sends to, where it is another one; else the instance of the data directory. */
const ACCESS_FILES = ['client.json', 'credentials.json'];

/**
 * Does what a command asks of the running server. Says in one line what the server said no to, or that it does not answer.
 * Exit code 3 where there is no server, 1 where it said no.
 */
export async function withServer(
  dataDir: string,
  { output }: CommandContext,
  work: (steering: Steering, client: ServerClient) => Promise<ExitCode>,
): Promise<ExitCode> {
  const file = ACCESS_FILES.map((name) => path.join(dataDir, name)).find((candidate) => existsSync(candidate));
  if (file === undefined) {
    output.err(`There is no instance in ${dataDir} yet: start it once with npm start.\n`);
    return 3;
  }
  const { url, apiKey } = readCredentials(file);
  try {
    const client = new ServerClient({ url, apiKey, timeoutMs: TIMEOUT_MS });
    return await work(new Steering(client), client);
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    output.err(`${error.message}${error.code === 'UNREACHABLE' ? '' : ` (${error.code})`}\n`);
    return error.code === 'UNREACHABLE' ? 3 : 1;
  }
}
