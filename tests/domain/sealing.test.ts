import { describe, expect, test } from 'vitest';
import { needsReseal, seal, SealingError, unseal } from '../../domain/sealing.ts';
import type { KeyRing, SealedPlace } from '../../domain/sealing.ts';

const key = (kid: string, byte: number) => ({ kid, key: Buffer.alloc(32, byte) });
const RING: KeyRing = [key('new', 1), key('old', 2)];
const PLACE: SealedPlace = { column: 'mfa_totp.sealed_secret', tenantId: 'tenant', rowId: 'row' };
const PLAIN = Buffer.from('a secret');

describe('a sealed value', () => {
  test('opens in its place, and is another one each time', () => {
    const sealed = seal(RING, PLACE, PLAIN);
    expect(unseal(RING, PLACE, sealed)).toEqual(PLAIN);
    expect(Buffer.from(sealed).includes(PLAIN)).toBe(false);
    expect(sealed).not.toEqual(seal(RING, PLACE, PLAIN));
  });

  test('of an older key opens, and must be sealed anew', () => {
    const sealed = seal([key('old', 2)], PLACE, PLAIN);
    expect(unseal(RING, PLACE, sealed)).toEqual(PLAIN);
    expect(needsReseal(sealed, RING)).toBe(true);
    expect(needsReseal(seal(RING, PLACE, PLAIN), RING)).toBe(false);
  });

  test.each<[string, SealedPlace]>([
    ['column', { ...PLACE, column: 'signing_keys.sealed_private_key' }],
    ['tenant', { ...PLACE, tenantId: 'another' }],
    ['instance', { ...PLACE, tenantId: null }],
    ['row', { ...PLACE, rowId: 'another' }],
  ])('that was moved to another %s is refused', (_what, place) => {
    expect(() => unseal(RING, place, seal(RING, PLACE, PLAIN))).toThrow(SealingError);
  });

  test('that was changed in any byte, cut off or sealed with an unknown key is refused', () => {
    const sealed = seal(RING, PLACE, PLAIN);
    for (let at = 0; at < sealed.length; at += 1) {
      const changed = sealed.map((byte, place) => (place === at ? byte ^ 1 : byte));
      expect(() => unseal(RING, PLACE, changed)).toThrow(SealingError);
    }
    expect(() => unseal(RING, PLACE, sealed.subarray(0, 20))).toThrow(SealingError);
    expect(() => unseal([key('other', 3)], PLACE, sealed)).toThrow(
      'the key "new" of a sealed value is not in the key ring',
    );
    expect(() => unseal([key('new', 3)], PLACE, sealed)).toThrow(SealingError);
  });
});
