import type pg from 'pg';
import { z } from 'zod';
import { rowOf } from '../connection/rows.ts';

const keyRow = rowOf({
  id: z.string(),
  public_key: z.instanceof(Uint8Array),
  sealed_private_key: z.instanceof(Uint8Array),
  created_at: z.date(),
});

/** A key pair of access tokens: the public key as SPKI DER, the private key sealed. */
export type StoredSigningKey = z.output<typeof keyRow>;

/** Returns the keys of the last `days` days, newest first. */
export async function listSigningKeys(pool: pg.Pool, days: number): Promise<StoredSigningKey[]> {
  const { rows } = await pool.query(
    'SELECT id, public_key, sealed_private_key, created_at FROM list_signing_keys($1)',
    [days],
  );
  return z.array(keyRow).parse(rows);
}

/** Adds a key, unless there is one of the last `days` days that is newer than `replaced`: several processes add one. */
export async function addSigningKey(
  pool: pg.Pool,
  key: Pick<StoredSigningKey, 'id' | 'publicKey' | 'sealedPrivateKey'>,
  days: number,
  replaced: string | null,
): Promise<void> {
  await pool.query('SELECT add_signing_key($1, $2, $3, $4, $5)', [
    key.id,
    Buffer.from(key.publicKey),
    Buffer.from(key.sealedPrivateKey),
    days,
    replaced,
  ]);
}
