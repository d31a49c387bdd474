import { RecollectClient, RecollectError } from '../client/index.ts';
import type { RecollectApi } from '../client/index.ts';
import type { CommandContext, ExitCode } from './command-context.ts';
import { serverAccess } from './server/access.ts';
import type { Credentials } from './server/access.ts';
import { DataRequests } from './server/data-requests.ts';
import { ServerClient } from './server/server-client.ts';
import { Steering } from './server/steering.ts';
import { inertText } from '../domain/recalled/inert-text.ts';

/** The server waits up to 60 s for a session's request. */
const TIMEOUT_MS = 75_000;
/** Interactive: the user can repeat the command. */
const RETRIES = 1;
const NO_ANSWER: ReadonlySet<string> = new Set(['UNREACHABLE', 'TIMEOUT']);

/** Runs `work` with the server's access. Prints a failure in one line; exit code 3 without a server, 1 for an error response. */
async function withAccess(
  dataDir: string,
  { output, environment }: CommandContext,
  work: (access: Credentials) => Promise<ExitCode>,
): Promise<ExitCode> {
  const access = serverAccess(dataDir, environment);
  if (access === null) {
    output.err(`No instance in ${dataDir}. Start one with npm start.\n`);
    return 3;
  }
  try {
    return await work(access);
  } catch (error) {
    if (!(error instanceof RecollectError)) throw error;
    const isUnavailable = NO_ANSWER.has(error.code);
    output.err(`${error.message}${isUnavailable ? '' : ` (${error.code})`}\n`);
    output.err(detailsText(error));
    return isUnavailable ? 3 : 1;
  }
}

/** Returns the details of an error, one line each: invalid fields or matching memories. */
function detailsText({ details }: RecollectError): string {
  return details
    .map(({ field, message, id, type, preview }) =>
      id === undefined ? `  ${field}: ${message}\n` : `  ${id}  ${type ?? ''}  ${inertText(preview ?? '')}\n`,
    )
    .join('');
}

/** Runs a command against the server's session, job and admin routes. */
export function withServer(
  dataDir: string,
  context: CommandContext,
  work: (steering: Steering, client: ServerClient) => Promise<ExitCode>,
): Promise<ExitCode> {
  return withAccess(dataDir, context, ({ url, apiKey }) => {
    const client = new ServerClient({ url, apiKey, timeoutMs: TIMEOUT_MS });
    return work(new Steering(client), client);
  });
}

/** Runs a command against the erasure, export and import routes. */
export function withDataRequests(
  dataDir: string,
  context: CommandContext,
  work: (server: DataRequests) => Promise<ExitCode>,
): Promise<ExitCode> {
  return withAccess(dataDir, context, (access) => work(new DataRequests(access)));
}

/** Runs a command against the memory routes. */
export function withMemory(
  dataDir: string,
  context: CommandContext,
  work: (memory: RecollectApi) => Promise<ExitCode>,
): Promise<ExitCode> {
  return withAccess(dataDir, context, (access) => work(new RecollectClient({ ...access, retries: RETRIES })));
}
