import type { CommandContext, ExitCode } from '../command-context.ts';
import { knownAccess, readKey, serverAddress } from '../install/server-access.ts';
import type { ServerAccess } from '../install/server-access.ts';
import { listenForInterrupts } from '../waiting.ts';
import { RecollectError } from '../../client/index.ts';
import { ImportApi } from './import-api.ts';
import { InstallError } from '../install/install-error.ts';

/** Options that choose the server. */
export interface ServerOptions {
  readonly dataDir: string;
  readonly server?: string;
  readonly apiKeyFile?: string;
  readonly allowPlainHttp?: true;
}

/** Returns the server of the options, the environment, `client.json` or the local instance, in this order. @throws InstallError */
function accessOf(options: ServerOptions, { environment }: CommandContext): ServerAccess {
  const { dataDir, server, apiKeyFile } = options;
  if (server !== undefined) {
    const address = serverAddress(server, options.allowPlainHttp === true);
    if (apiKeyFile === undefined) throw new InstallError('bad-key', '--server requires --api-key-file FILE.');
    return { url: address, apiKey: readKey(apiKeyFile), isRemote: true };
  }
  const url = environment['RECOLLECT_URL'];
  const apiKey = environment['RECOLLECT_API_KEY'];
  if (url && apiKey) return { url: url.replace(/\/$/, ''), apiKey, isRemote: true };
  return knownAccess(dataDir);
}

/** Runs a command against the server; prints failures. */
export async function withImportServer(
  options: ServerOptions,
  context: CommandContext,
  work: (api: ImportApi, access: ServerAccess, signal: AbortSignal) => Promise<ExitCode>,
): Promise<ExitCode> {
  const { err } = context.output;
  const interrupts = listenForInterrupts(() => process.exit(130));
  try {
    const access = accessOf(options, context);
    return await work(new ImportApi(access, interrupts.signal), access, interrupts.signal);
  } catch (error) {
    if (error instanceof InstallError) {
      err(`${error.message}\n`);
      return 3;
    }
    if (!(error instanceof RecollectError)) throw error;
    if (error.code === 'ABORTED') return 130;
    err(`${error.message}.\n`);
    return error.code === 'UNREACHABLE' ? 3 : 1;
  } finally {
    interrupts.dispose();
  }
}
