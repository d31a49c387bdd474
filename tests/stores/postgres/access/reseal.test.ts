import { expect, test } from 'vitest';
import { seal, unseal } from '../../../../domain/sealing.ts';
import type { KeyRing, SealedPlace } from '../../../../domain/sealing.ts';
import { newId } from '../../../../domain/ids.ts';
import { resealAll } from '../../../../stores/postgres/access/reseal.ts';
import { fileDatabase } from '../../../setup/database.ts';

const db = fileDatabase();
const key = (kid: string, byte: number) => ({ kid, key: Buffer.alloc(32, byte) });
const OLD: KeyRing = [key('old', 1)];
const BOTH: KeyRing = [key('new', 2), ...OLD];
const NEW: KeyRing = [key('new', 2)];
const SECRET = Buffer.from('a secret');

/** Stores a sealed secret of a new user of a new tenant; returns its place. */
async function sealedTotp(ring: KeyRing): Promise<SealedPlace> {
  const { tenantId, userId } = await db.createUser();
  const place = { column: 'mfa_totp.sealed_secret', tenantId, rowId: userId } as const;
  await db.write('INSERT INTO mfa_totp (user_id, tenant_id, sealed_secret) VALUES ($1, $2, $3)', [
    userId,
    tenantId,
    Buffer.from(seal(ring, place, SECRET)),
  ]);
  return place;
}

const storedOf = async ({ rowId }: SealedPlace): Promise<Buffer> => {
  const [row] = await db.rows<{ sealed: Buffer }>('SELECT sealed_secret AS sealed FROM mfa_totp WHERE user_id = $1', [
    rowId,
  ]);
  if (row === undefined) throw new Error('there is no such secret');
  return row.sealed;
};

test('seals secrets of every tenant and of the instance with the first key, and again changes nothing', async () => {
  const places = [await sealedTotp(OLD), await sealedTotp(OLD)];
  const id = newId();
  const signing = { column: 'signing_keys.sealed_private_key', tenantId: null, rowId: id } as const;
  await db.write('INSERT INTO signing_keys (id, public_key, sealed_private_key) VALUES ($1, $2, $3)', [
    id,
    SECRET,
    Buffer.from(seal(OLD, signing, SECRET)),
  ]);
  expect(await resealAll(db.maintenance, BOTH)).toEqual({ resealed: 3, unreadable: 0, faults: [] });
  for (const place of places) expect(unseal(NEW, place, await storedOf(place))).toEqual(SECRET);
  const [row] = await db.rows<{ sealed: Buffer }>('SELECT sealed_private_key AS sealed FROM signing_keys');
  expect(unseal(NEW, signing, row?.sealed ?? SECRET)).toEqual(SECRET);
  expect(await resealAll(db.maintenance, NEW)).toEqual({ resealed: 0, unreadable: 0, faults: [] });
});

test('continues behind secrets whose key is missing, and leaves them as they are', async () => {
  const lost = await sealedTotp([key('lost', 3)]);
  const before = await storedOf(lost);
  const later = await sealedTotp(OLD);
  expect(await resealAll(db.maintenance, BOTH)).toEqual({
    resealed: 1,
    unreadable: 1,
    faults: ['the key "lost" of a sealed value is not in the key ring'],
  });
  expect(await storedOf(lost)).toEqual(before);
  expect(unseal(NEW, later, await storedOf(later))).toEqual(SECRET);
});
