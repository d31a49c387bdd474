import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { readAgentCredentials, readCredentials } from '../server/access.ts';
import type { Credentials } from '../server/access.ts';
import { writeFileAtomic } from '../../infra/instance/atomic-file.ts';
import { InstallError } from './install-error.ts';

/** Server and key for hooks. */
export interface ServerAccess {
  /** Without a trailing slash. */
  readonly url: string;
  readonly apiKey: string;
  /** Configured in `client.json`, not the instance of the data directory. */
  readonly isRemote: boolean;
}

const CHECK_TIMEOUT_MS = 10_000;
const API_KEY = /^[\x21-\x7E]{8,512}$/;
const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/i;

export function clientFile(dataDir: string): string {
  return path.join(dataDir, 'client.json');
}

/** Returns the configured remote server, else the local instance. @throws InstallError if there is neither */
export function knownAccess(dataDir: string): ServerAccess {
  return accessIn(dataDir, readCredentials, readCredentials);
}

/** The same with the agent key instead of the operator's. @throws InstallError */
export function knownAgentAccess(dataDir: string): ServerAccess {
  const readRemote = (file: string) => readAgentCredentials(file, false) ?? readCredentials(file);
  return accessIn(dataDir, readRemote, (file) => {
    const access = readAgentCredentials(file, false);
    if (access !== null) return access;
    // Fails for a file without url and api_key.
    readCredentials(file);
    throw new InstallError(
      'no-agent-key',
      `${file} has no key for agents. Restart the instance with recollect up, which creates one; agents must not use the operator's key.`,
    );
  });
}

function accessIn(
  dataDir: string,
  readRemote: (file: string) => Credentials,
  readLocal: (file: string) => Credentials,
): ServerAccess {
  for (const [file, isRemote, read] of [
    [clientFile(dataDir), true, readRemote],
    [path.join(dataDir, 'credentials.json'), false, readLocal],
  ] as const) {
    if (!existsSync(file)) continue;
    try {
      const { url, apiKey } = read(file);
      return { url: url.replace(/\/$/, ''), apiKey, isRemote };
    } catch (error) {
      if (error instanceof InstallError) throw error;
      throw new InstallError('unusable-file', `${file} is invalid: url or api_key is missing.`, { cause: error });
    }
  }
  throw new InstallError(
    'no-instance',
    `No instance in ${dataDir}. Start one with recollect up, or pass --server URL --api-key-file FILE.`,
  );
}

/** Returns true for a host name of this machine. */
export function isLoopback(hostname: string): boolean {
  return LOOPBACK.test(hostname);
}

/**
 * Returns a normalised server address. `name`: what the error names as its origin.
 * @throws InstallError for an invalid address, and for plain HTTP to another machine
 */
export function serverAddress(given: string, allowPlain: boolean, name = '--server'): string {
  const bad = (fault: string): InstallError => new InstallError('bad-address', `${name}: ${fault}`);
  if (!URL.canParse(given)) throw bad('expected a URL such as https://memory.example.org.');
  const url = new URL(given);
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw bad('expected an https or http URL.');
  if (url.username !== '' || url.password !== '') throw bad('the URL contains credentials; use --api-key-file.');
  if (url.search !== '' || url.hash !== '') throw bad('the URL contains a query or fragment; remove it.');
  if (url.protocol === 'http:' && !isLoopback(url.hostname) && !allowPlain)
    throw bad('plain HTTP exposes the key. Use https, or --allow-plain-http on a trusted network.');
  return `${url.origin}${url.pathname.replace(/\/+$/, '')}`;
}

/** Returns the key in a file, or on stdin for `-`. @throws InstallError for an invalid key */
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
      '--api-key-file: expected a key of 8 to 512 printable characters without spaces.',
    );
  return key;
}

/**
 * Checks that the server is a Recollect and accepts hooks with this key; stores nothing. Follows no redirect, which could leak the key.
 * @throws InstallError
 */
export async function checkServer({ url, apiKey }: ServerAccess): Promise<void> {
  const health = await ask(url, '/api/v1/health', { method: 'GET' });
  if (!z.object({ status: z.string(), dependencies: z.object({}) }).safeParse(health.body).success)
    throw new InstallError('server-unavailable', `${url} is not a Recollect server.`);
  // The server rejects an event without a type only after it has accepted the key for capture.
  const capture = await ask(url, '/api/v1/events', {
    method: 'POST',
    headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
    body: '{}',
  });
  const code = z.object({ code: z.string() }).safeParse(capture.body).data?.code;
  if (capture.status === 401) throw new InstallError('key-refused', `${url} rejects this key.`);
  if (capture.status === 403) throw new InstallError('key-refused', `This key lacks the scope capture.`);
  if (code !== 'UNKNOWN_EVENT_TYPE')
    throw new InstallError('server-unavailable', `${url} could not check the key (status ${capture.status}).`);
}

/** Scope of a key that agents do not need. */
export type Excess = 'admin' | 'write' | null;

/** Returns the excess scope of a key; changes nothing on the server. @throws InstallError */
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
    throw new InstallError('server-unavailable', `${url} is unreachable. Check the address, or pass --no-check.`, {
      cause: error,
    });
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false; // For example a proxy's page; the caller checks the type.
  }
}

/** Writes `client.json` for the client, readable by the owner only. Returns false if unchanged. */
export function writeClientFile(dataDir: string, { url, apiKey }: ServerAccess): boolean {
  const file = clientFile(dataDir);
  const text = `${JSON.stringify({ url, api_key: apiKey }, null, 2)}\n`;
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return false;
  try {
    writeFileAtomic(file, text, 0o600);
  } catch (error) {
    throw new InstallError('unusable-file', `${file} is not writable. Nothing was written.`, { cause: error });
  }
  return true;
}
