import { readFileSync } from 'node:fs';
import { z } from 'zod';

const credentialsSchema = z.object({ url: z.url(), api_key: z.string().min(1) });

export interface Credentials {
  readonly url: string;
  readonly apiKey: string;
}

/** Reads `credentials.json` of a data directory. @throws Error when it is missing or is none: the instance was never started there. */
export function readCredentials(path: string): Credentials {
  const parsed = credentialsSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  return { url: parsed.url, apiKey: parsed.api_key };
}
