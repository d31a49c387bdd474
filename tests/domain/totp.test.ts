import { expect, test } from 'vitest';
import { base32, stepAt, stepOfCode, totpCode } from '../../domain/totp.ts';

const SECRET = Buffer.from('12345678901234567890');

// RFC 6238, appendix B.
test.each([
  [59, '94287082'],
  [1_111_111_109, '07081804'],
  [1_111_111_111, '14050471'],
  [1_234_567_890, '89005924'],
  [2_000_000_000, '69279037'],
  [20_000_000_000, '65353130'],
])('returns the code of RFC 6238 at %i s', (seconds, code) => {
  expect(totpCode(SECRET, stepAt(seconds * 1_000), 8)).toBe(code);
});

test('accepts the codes of the steps around a time only', () => {
  const now = 1_700_000_000_000;
  const steps = [-2, -1, 0, 1, 2].map((drift) => stepOfCode(SECRET, totpCode(SECRET, stepAt(now) + drift), now));
  expect(steps).toEqual([null, stepAt(now) - 1, stepAt(now), stepAt(now) + 1, null]);
});

test('encodes base 32 as RFC 4648 does, without padding', () => {
  expect(['', 'f', 'fo', 'foo', 'foob', 'fooba', 'foobar'].map((text) => base32(Buffer.from(text)))).toEqual([
    '',
    'MY',
    'MZXQ',
    'MZXW6',
    'MZXW6YQ',
    'MZXW6YTB',
    'MZXW6YTBOI',
  ]);
});
