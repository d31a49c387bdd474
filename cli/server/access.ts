import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { Environment } from '../../config/process-environment.ts';

const key = z.string().min(1);
const credentialsSchema = z.object({ url: z.url(), api_key: key });
const agentSchema = z.object({ url: z.url(), agent_api_key: key, agent_write_api_key: key });

export interface Credentials {
  readonly url: string;
  readonly apiKey: string;
}

/** Reads `credentials.json` of a data directory. @throws Error when it is missing or is none: the instance was never started there. */
export function readCredentials(path: string): Credentials {
  const parsed = credentialsSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  return { url: parsed.url, apiKey: parsed.api_key };
}

/**
 * Reads the access that an agent gets from `credentials.json` or `client.json`: with the scopes capture and read, or, if it shall write, read and
 * write. Null for a file without keys for agents: an older version, or `install --server`, wrote it.
 */
export function readAgentCredentials(path: string, mayWrite: boolean): Credentials | null {
  const parsed = agentSchema.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data;
  if (parsed === undefined) return null;
  return { url: parsed.url, apiKey: mayWrite ? parsed.agent_write_api_key : parsed.agent_api_key };
}

/** The server that this machine sends to, where it is another one; else the instance of the data directory. */
const ACCESS_FILES = ['client.json', 'credentials.json'];

/** The server that commands speak to: the environment's, else that of the data directory; null where there is none yet. @throws Error for a file that is none */
export function serverAccess(dataDir: string, environment: Environment): Credentials | null {
  const { RECOLLECT_URL: url, RECOLLECT_API_KEY: apiKey } = environment;
  if (url && apiKey) return { url, apiKey };
  const file = ACCESS_FILES.map((name) => path.join(dataDir, name)).find((candidate) => existsSync(candidate));
  return file === undefined ? null : readCredentials(file);
}

/** Returns true if commands speak to another server than the instance of the data directory. */
export function isElsewhere(dataDir: string, { RECOLLECT_URL: url, RECOLLECT_API_KEY: key }: Environment): boolean {
  return Boolean(url && key) || existsSync(path.join(dataDir, 'client.json'));
}

/**
 * The same for an agent: of the instance of the data directory, and of a server that the user joined, it gets a key of its own; null, too, where
 * the instance has not made that yet. @throws Error for a file that is none
 */
export function agentAccess(dataDir: string, environment: Environment, mayWrite: boolean): Credentials | null {
  const client = path.join(dataDir, 'client.json');
  const isGiven = Boolean(environment.RECOLLECT_URL && environment.RECOLLECT_API_KEY);
  const joined = !isGiven && existsSync(client) ? readAgentCredentials(client, mayWrite) : null;
  if (isElsewhere(dataDir, environment)) return joined ?? serverAccess(dataDir, environment);
  const file = path.join(dataDir, 'credentials.json');
  return existsSync(file) ? readAgentCredentials(file, mayWrite) : null;
}
