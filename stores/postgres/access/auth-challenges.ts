import { z } from 'zod';
import type { Database } from '../connection/database.ts';
import { keySha256 } from './secrets.ts';

/** A person has this long to log in at a provider or to touch a passkey. */
export const CHALLENGE_S = 600;

type ChallengeKind = 'oidc' | 'passkey_log_in' | 'passkey_registration' | 'browser';

/** Stores a started log-in, for `ttlS` seconds. `challenge`: a secret or a random value that the end of the log-in repeats; its hash is stored. */
export async function startChallenge(
  { pool }: Database,
  kind: ChallengeKind,
  challenge: string,
  data: Readonly<Record<string, unknown>> = {},
  ttlS = CHALLENGE_S,
): Promise<void> {
  await pool.query('SELECT start_auth_challenge($1, $2, $3, $4)', [
    keySha256(challenge),
    kind,
    JSON.stringify(data),
    ttlS,
  ]);
}

const takenRows = z.tuple([z.object({ data: z.unknown() })]);

/** Returns the data of a log-in and ends it; null if it is unknown, expired or was used. */
export async function takeChallenge<Schema extends z.ZodType>(
  { pool }: Database,
  kind: ChallengeKind,
  challenge: string,
  schema: Schema,
): Promise<z.output<Schema> | null> {
  const { rows } = await pool.query('SELECT take_auth_challenge($1, $2) AS data', [keySha256(challenge), kind]);
  const [{ data }] = takenRows.parse(rows);
  return data === null ? null : schema.parse(data);
}
