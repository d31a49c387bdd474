import { accessSync, constants, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { RecollectError } from '../../../client/index.ts';
import { acceptedInvite } from '../../../contract/access.ts';
import { writeFileAtomic } from '../../../infra/instance/atomic-file.ts';
import type { Cli } from '../../cli.ts';
import { InstallError } from '../../install/install-error.ts';
import { hiddenInput } from '../../hidden-input.ts';
import { clientFile, serverAddress } from '../../install/server-access.ts';
import { ServerClient } from '../../server/server-client.ts';
import { failureText, isUnavailable } from '../../text/failure-text.ts';

const TIMEOUT_MS = 30_000;

interface JoinOptions {
  readonly dataDir: string;
  readonly allowPlainHttp?: boolean;
  readonly overwrite?: boolean;
  readonly password?: boolean;
}

/** Returns the address of the server and the token in a link. @throws InstallError for a link without them */
function partsOf(link: string, allowPlain: boolean): { readonly url: string; readonly token: string } {
  const [address = '', token = ''] = link.trim().split('#');
  const url = serverAddress(address, allowPlain, 'the link');
  if (token === '') throw new InstallError('bad-address', 'the link: the part after # is missing. Copy all of it.');
  return { url, token };
}

/** Throws before the invite is used if its keys could not be written. @throws InstallError */
function requireFree(dataDir: string, overwrite: boolean): void {
  const known = [clientFile(dataDir), path.join(dataDir, 'credentials.json')].find((file) => existsSync(file));
  if (known !== undefined && !overwrite)
    throw new InstallError(
      'unusable-file',
      `${known} exists: this data directory already has a server. Choose another with --data-dir, or pass --overwrite.`,
    );
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    accessSync(dataDir, constants.W_OK);
  } catch (error) {
    throw new InstallError('unusable-file', `${dataDir} is not writable.`, { cause: error });
  }
}

/** Returns the password that the user enters twice. @throws InstallError */
async function newPassword(): Promise<string> {
  const password = await hiddenInput('Password of your log-in');
  if (password === null) throw new InstallError('no-password', '--password prompts on a terminal; there is none.');
  if (password === (await hiddenInput('The same again'))) return password;
  throw new InstallError('no-password', 'The passwords differ. The invite was not used.');
}

/** Accepts the invite and writes its keys. Returns the text of the result. */
async function join(link: string, options: JoinOptions) {
  const { dataDir, allowPlainHttp = false, overwrite = false } = options;
  const { url, token } = partsOf(link, allowPlainHttp);
  requireFree(dataDir, overwrite);
  const password = options.password === true ? await newPassword() : undefined;
  // A redirect could leak the token.
  const server = new ServerClient({
    url,
    timeoutMs: TIMEOUT_MS,
    fetch: (address, init) => fetch(address, { ...init, redirect: 'error' }),
  });
  const { username, role, ...keys } = await server.post('/auth/invites/accept', acceptedInvite, { token, password });
  const file = clientFile(dataDir);
  writeFileAtomic(file, `${JSON.stringify({ url, ...keys }, null, 2)}\n`);
  const next = role === 'viewer' ? 'recollect search WORDS' : 'recollect install claude-code';
  return `You are ${username} (${role}) on ${url}.\nYour keys: ${file}, readable by the owner only.\nNext: ${next}\n`;
}

/** Adds `join`. */
export function addJoin(program: Command, cli: Cli): void {
  const { output } = cli;
  cli
    .command(program, 'join', 'join a server with the link of an invite')
    .argument('<link>', 'link that an admin gave you, quoted for the shell; - reads it from stdin')
    .option('--allow-plain-http', 'allow sending keys over plain HTTP from another machine')
    .option('--password', 'set the password of your log-in; prompts for it')
    .option('--overwrite', 'replace the server that this data directory has')
    .action(async (given: string, options: JoinOptions, command: Command) => {
      try {
        output.out(await join(given === '-' ? readFileSync(0, 'utf8') : given, options));
        cli.exit(0);
      } catch (error) {
        if (error instanceof InstallError) output.err(`${error.message}\n`);
        else if (error instanceof RecollectError)
          output.err(
            error.code === 'NOT_FOUND' || (error.code === 'VALIDATION_FAILED' && options.password !== true)
              ? 'The invite is unknown, accepted or expired. Ask an admin for another: recollect users invite USER.\n'
              : failureText(error, { command, dataDir: options.dataDir, isElsewhere: true }),
          );
        else throw error;
        cli.exit(error instanceof RecollectError && isUnavailable(error) ? 3 : 1);
      }
    });
}
