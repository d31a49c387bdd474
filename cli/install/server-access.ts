import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { type Credentials, readAgentCredentials, readCredentials } from '../server/access.ts';
import { writeFileAtomic } from '../../infra/instance/atomic-file.ts';
import { InstallError } from './install-error.ts';

/** The server that hooks are sent to, and the key that they are sent with. */
export interface ServerAccess {
  /** Without a slash at its end. */
  readonly url: string;
  readonly apiKey: string;
  /** Written to `client.json`, because it is not the instance of the data directory. */
  readonly isRemote: boolean;
}

const CHECK_TIMEOUT_MS = 10_000;
const API_KEY = /^[\x21-\x7E]{8,512}$/;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i;

export function clientFile(dataDir: string): string {
  return path.join(dataDir, 'client.json');
}

/** What was installed for a remote server before, else the instance of the data directory. Throws InstallError when there is neither. */
export function knownAccess(dataDir: string): ServerAccess {
  return accessIn(dataDir, readCredentials);
}

/** The same with the key that agents get: of the instance of the data directory that is not the operator's. Throws InstallError. */
export function knownAgentAccess(dataDir: string): ServerAccess {
  return accessIn(dataDir, (file) => {
    const access = readAgentCredentials(file, false);
    if (access !== null) return access;
    // One that has no url and api_key either is no credentials at all.
    readCredentials(file);
    throw new InstallError(
      'no-agent-key',
      `The instance in ${dataDir} has no key for agents yet: an older version wrote ${file}. Start it again with recollect up, which makes one; agents do not get the operator's key.`,
    );
  });
}

function accessIn(dataDir: string, readLocal: (file: string) => Credentials): ServerAccess {
  for (const [file, isRemote, read] of [
    [clientFile(dataDir), true, readCredentials],
    [path.join(dataDir, 'credentials.json'), false, readLocal],
  ] as const) {
    if (!existsSync(file)) continue;
    try {
      const { url, apiKey } = read(file);
      return { url: url.replace(/\/$/, ''), apiKey, isRemote };
    } catch (error) {
      if (error instanceof InstallError) throw error;
      throw new InstallError('unusable-file', `${file} cannot be used: it has no url and api_key.`, { cause: error });
    }
  }
  throw new InstallError(
    'no-instance',
    `There is no instance in ${dataDir} yet. Start it once with recollect up, or name a server with --server URL --api-key-file FILE.`,
  );
}

/** A server's address as it is used. Throws InstallError when it is none, or when a key would travel readable by others. */
export function serverAddress(given: string, allowPlain: boolean): string {
  const bad = (why: string): InstallError => new InstallError('bad-address', `--server: ${why}`);
  if (!URL.canParse(given)) throw bad('this is no address; one looks like https://memory.example.org.');
  const url = new URL(given);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw bad('only https and http are known.');
  if (url.username !== '' || url.password !== '') throw bad('give the key by --api-key-file, not in the address.');
  if (url.search !== '' || url.hash !== '') throw bad('an address has neither a query nor a fragment.');
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname) && !allowPlain)
    throw bad(
      'plain http would send the key readable by others. Use https, or --allow-plain-http where the way is safe.',
    );
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** The key in a file, or on stdin where the file is `-`. Throws InstallError when there is none. */
export function readKey(file: string, readStdin: () => string = () => readFileSync(0, 'utf8')): string {
  let text: string;
  try {
    text = file === '-' ? readStdin() : readFileSync(file, 'utf8');
  } catch (error) {
    throw new InstallError('bad-key', `--api-key-file: ${file === '-' ? 'stdin' : file} cannot be read.`, {
      cause: error,
    });
  }
  const key = text.trim();
  if (!API_KEY.test(key))
    throw new InstallError(
      'bad-key',
      '--api-key-file: a key is 8 to 512 printable characters without blanks, and nothing else.',
    );
  return key;
}

/**
 * Asks the server whether it is a Recollect and takes hooks with this key; stores nothing there. Follows no redirect, so the key goes
 * nowhere else. Throws InstallError that says which of the two failed.
 */
export async function checkServer({ url, apiKey }: ServerAccess): Promise<void> {
  const health = await ask(url, '/api/v1/health', { method: 'GET' });
  if (!z.object({ status: z.string(), dependencies: z.object({}) }).safeParse(health.body).success)
    throw new InstallError('server-away', `${url} answers, but it is no Recollect server.`);
  // An event without a type is refused as such only after the key was found good for capture.
  const capture = await ask(url, '/api/v1/events', {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: '{}',
  });
  const code = z.object({ code: z.string() }).safeParse(capture.body).data?.code;
  if (capture.status === 401) throw new InstallError('key-refused', `${url} does not know this key.`);
  if (capture.status === 403)
    throw new InstallError('key-refused', `${url} knows this key, but it lacks the scope capture.`);
  if (code !== 'UNKNOWN_EVENT_TYPE')
    throw new InstallError('server-away', `${url} could not check the key (it answered ${capture.status}).`);
}

/** What a key may do beyond what agents need. */
export type Excess = 'admin' | 'write' | null;

/** Asks a server that takes hooks with this key what else the key may do; changes nothing there. Throws InstallError. */
export async function excessOf({ url, apiKey }: ServerAccess): Promise<Excess> {
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' };
  const settings = await ask(url, '/api/v1/admin/settings', { method: 'GET', headers });
  if (settings.status !== 403) return 'admin';
  // A memory without content is refused as such only after the key was found good for writing.
  const memory = await ask(url, '/api/v1/memories', { method: 'POST', headers, body: '{}' });
  return memory.status === 403 ? null : 'write';
}

async function ask(url: string, route: string, init: RequestInit): Promise<{ status: number; body: unknown }> {
  try {
    const response = await fetch(`${url}${route}`, {
      ...init,
      redirect: 'error',
      signal: AbortSignal.timeout(CHECK_TIMEOUT_MS),
    });
    const text = await response.text();
    return { status: response.status, body: isJson(text) ? JSON.parse(text) : null };
  } catch (error) {
    throw new InstallError('server-away', `${url} does not answer. Check the address, or pass --no-check.`, {
      cause: error,
    });
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // A proxy's page, say: judged by the caller.
  }
}

/** Writes `client.json`, which the client reads; readable by its owner only. False where it says the same already. */
export function writeClientFile(dataDir: string, { url, apiKey }: ServerAccess): boolean {
  const file = clientFile(dataDir);
  const text = `${JSON.stringify({ url, api_key: apiKey }, null, 2)}\n`;
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return false;
  try {
    writeFileAtomic(file, text, 0o600);
  } catch (error) {
    throw new InstallError('unusable-file', `${file} cannot be written. Nothing was written.`, { cause: error });
  }
  return true;
}
