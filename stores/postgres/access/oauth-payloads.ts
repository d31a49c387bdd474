import { z } from 'zod';
import type { Database } from '../connection/database.ts';
import { keySha256 } from './secrets.ts';

/** Rows of the authorization server. */
export const OAUTH_MODELS = ['AccessToken', 'AuthorizationCode', 'Client', 'Interaction', 'RefreshToken'] as const;
export type OauthModel = (typeof OAUTH_MODELS)[number];

const found = z.object({ payload: z.record(z.string(), z.unknown()), consumed_ms: z.number().nullable() });

/** A row of the authorization server. */
export interface OauthPayload {
  readonly payload: Readonly<Record<string, unknown>>;
  /** Time since its use, in milliseconds; null if it was not used. */
  readonly consumedMs: number | null;
}

/** Stores a row under the SHA-256 of its id, which may be a token: the payload must not contain it. */
export async function saveOauthPayload(
  { pool }: Database,
  model: OauthModel,
  id: string,
  row: { readonly grantId: string | null; readonly payload: unknown; readonly expiresAt: Date },
): Promise<void> {
  await pool.query('SELECT save_oauth_payload($1, $2, $3, $4, $5)', [
    model,
    keySha256(id),
    row.grantId,
    JSON.stringify(row.payload),
    row.expiresAt,
  ]);
}

/** Returns a row that has not expired and whose grant has not ended; null if there is none. */
export async function findOauthPayload(
  { pool }: Database,
  model: OauthModel,
  id: string,
): Promise<OauthPayload | null> {
  const { rows } = await pool.query('SELECT payload, consumed_ms FROM find_oauth_payload($1, $2)', [
    model,
    keySha256(id),
  ]);
  const [row] = z.array(found).parse(rows);
  return row === undefined ? null : { payload: row.payload, consumedMs: row.consumed_ms };
}

/** Marks a code or a refresh token as used. Returns false if another request did so first. */
export async function consumeOauthPayload({ pool }: Database, model: OauthModel, id: string): Promise<boolean> {
  const { rows } = await pool.query('SELECT consume_oauth_payload($1, $2) AS won', [model, keySha256(id)]);
  return z.tuple([z.object({ won: z.boolean() })]).parse(rows)[0].won;
}

/** Ends a row and empties it. */
export async function expireOauthPayload({ pool }: Database, model: OauthModel, id: string): Promise<void> {
  await pool.query('SELECT expire_oauth_payload($1, $2)', [model, keySha256(id)]);
}
