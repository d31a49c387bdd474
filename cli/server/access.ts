import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Environment } from '../../config/process-environment.ts';
import { readAgentCredentials, readCredentials } from './credentials.ts';
import type { Credentials } from './credentials.ts';

/** The server that this machine sends to, where it is another one; else the instance of the data directory. */
const ACCESS_FILES = ['client.json', 'credentials.json'];

/** The server that commands speak to: the environment's, else that of the data directory; null where there is none yet. @throws Error for a file that is none */
export function serverAccess(dataDir: string, environment: Environment): Credentials | null {
  const { RECOLLECT_URL: url, RECOLLECT_API_KEY: apiKey } = environment;
  if (url && apiKey) return { url, apiKey };
  const file = ACCESS_FILES.map((name) => path.join(dataDir, name)).find((candidate) => existsSync(candidate));
  return file === undefined ? null : readCredentials(file);
}

/**
 * The same for an agent: of the instance of the data directory it gets a key of its own, which is not the operator's; null, too, where that
 * was not made yet. @throws Error for a file that is none
 */
export function agentAccess(dataDir: string, environment: Environment, mayWrite: boolean): Credentials | null {
  const { RECOLLECT_URL: url, RECOLLECT_API_KEY: apiKey } = environment;
  if ((url && apiKey) || existsSync(path.join(dataDir, 'client.json'))) return serverAccess(dataDir, environment);
  const file = path.join(dataDir, 'credentials.json');
  return existsSync(file) ? readAgentCredentials(file, mayWrite) : null;
}
