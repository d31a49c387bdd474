import { readFileSync } from 'node:fs';
import { z } from 'zod';

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
 * Reads the access that an agent gets from `credentials.json`: with the scopes capture and read, or, if it shall write, read and write. Null if
 * an older version wrote the file, which made no keys for agents.
 */
export function readAgentCredentials(path: string, mayWrite: boolean): Credentials | null {
  const parsed = agentSchema.safeParse(JSON.parse(readFileSync(path, 'utf8'))).data;
  if (parsed === undefined) return null;
  return { url: parsed.url, apiKey: mayWrite ? parsed.agent_write_api_key : parsed.agent_api_key };
}
