import { RecollectClient, RecollectError } from '../client/index.ts';
import type { RecollectApi } from '../client/index.ts';
import type { CommandContext, ExitCode } from './command-context.ts';
import { serverAccess } from './server/access.ts';
import type { Credentials } from './server/access.ts';
import { DataRequests } from './server/data-requests.ts';
import { ServerClient } from './server/server-client.ts';
import { Steering } from './server/steering.ts';
import { inertText } from '../domain/recalled/inert-text.ts';

/** A session's orders are waited for up to a minute. */
const TIMEOUT_MS = 75_000;
/** Somebody sits there and can ask again. */
const RETRIES = 1;
const NO_ANSWER: ReadonlySet<string> = new Set(['UNREACHABLE', 'TIMEOUT']);

/** Does it with the server that is meant. Exit code 3 where there is no server, 1 where it said no, which is told in a line. */
async function withAccess(
  dataDir: string,
  { output, environment }: CommandContext,
  work: (access: Credentials) => Promise<ExitCode>,
): Promise<ExitCode> {
  const access = serverAccess(dataDir, environment);
  if (access === null) {
    output.err(`There is no instance in ${dataDir} yet: start it once with npm start.\n`);
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

/** What of the request is wrong, or what it may have meant, a line each. */
function detailsText({ details }: RecollectError): string {
  return details
    .map(({ field, message, id, type, preview }) =>
      id === undefined ? `  ${field}: ${message}\n` : `  ${id}  ${type ?? ''}  ${inertText(preview ?? '')}\n`,
    )
    .join('');
}

/** Does what a command asks of the running server. Says in one line what the server said no to, or that it does not answer. */
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

/** The same for what a command asks about erasing, exporting and importing. */
export function withKeep(
  dataDir: string,
  context: CommandContext,
  work: (server: DataRequests) => Promise<ExitCode>,
): Promise<ExitCode> {
  return withAccess(dataDir, context, (access) => work(new DataRequests(access)));
}

/** The same for what a command asks of memory. */
export function withMemory(
  dataDir: string,
  context: CommandContext,
  work: (memory: RecollectApi) => Promise<ExitCode>,
): Promise<ExitCode> {
  return withAccess(dataDir, context, (access) => work(new RecollectClient({ ...access, retries: RETRIES })));
}
