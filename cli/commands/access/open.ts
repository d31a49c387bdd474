import { spawn } from 'node:child_process';
import type { Command } from 'commander';
import { RecollectError } from '../../../client/index.ts';
import { browserCode } from '../../../contract/browser.ts';
import type { Cli } from '../../cli.ts';
import type { Output } from '../../output.ts';
import type { ServerClient } from '../../server/server-client.ts';

/** Programs that open an address in the browser of the user. */
const OPENERS: Partial<Record<NodeJS.Platform, readonly [string, ...string[]]>> = {
  darwin: ['open'],
  win32: ['rundll32', 'url.dll,FileProtocolHandler'],
};

/** Time within which a program that cannot start a browser ends. */
const BROWSER_MS = 3_000;

/** Returns an address that signs a browser in once, within two minutes. The code is behind `#`, which browsers send to no server. @throws RecollectError */
async function signInAddress(server: ServerClient): Promise<string> {
  const { code } = await server.post('/auth/browser/codes', browserCode);
  return `${server.url}/#code=${code}`;
}

/**
 * Returns a line with an address that signs in; '' if the server does not give one: the command reports why. Without a terminal it names the command: the output may be a
 * log, which others read.
 */
export async function openOffer(server: ServerClient, { columns }: Output): Promise<string> {
  if (columns === null) return 'recollect open opens the viewer, signed in.\n';
  try {
    return `open ${await signInAddress(server)}   (once, within two minutes; later: recollect open)\n`;
  } catch (error) {
    if (error instanceof RecollectError) return '';
    throw error;
  }
}

/** Starts the browser of the user; resolves to false if there is no program for it, or it fails at once. */
function startBrowser(address: string, environment: Cli['environment']): Promise<boolean> {
  const [program, ...given] = OPENERS[process.platform] ?? ['xdg-open'];
  return new Promise((resolve) => {
    const child = spawn(program, [...given, address], { stdio: 'ignore', detached: true, env: { ...environment } });
    // A program that still runs is the browser itself.
    const timer = setTimeout(() => resolve(true), BROWSER_MS);
    const end = (isStarted: boolean): void => {
      clearTimeout(timer);
      resolve(isStarted);
    };
    child.once('error', () => end(false)).once('exit', (code) => end(code === 0));
    child.unref();
  });
}

/** Adds `open`. */
export function addOpen(program: Command, cli: Cli): void {
  cli
    .command(program, 'open', 'open the viewer in your browser, signed in with your key')
    .option('--print', 'print the address; open nothing')
    .action(
      cli.onServer(async (server, { print }: { readonly print?: boolean }) => {
        const address = await signInAddress(server);
        if (print === true) {
          cli.output.out(`${address}\n`);
          return 0;
        }
        cli.output.out(`Opening ${server.url} …\n`);
        if (await startBrowser(address, cli.environment)) return 0;
        cli.output.err(
          `No browser can be started here. Open this address within two minutes; it works once:\n${address}\n`,
        );
        return 1;
      }),
    );
}
