import type { LoginProof, Principal } from '../../stores/postgres/access/principal.ts';
import { ApiError } from '../errors.ts';

/** Age up to which a proof of identity counts. */
const PROOF_MS = 300_000;

/** Returns the time until which the last proof of a session counts; null: there was none. */
export function provenUntilOf({ authenticatedAt, hasFactors, mfaAt }: LoginProof): Date | null {
  const provenAt = hasFactors ? mfaAt : authenticatedAt;
  return provenAt === null ? null : new Date(provenAt.getTime() + PROOF_MS);
}

/**
 * Requires a session to have a recent proof of identity: a second factor, or the first one of a user without a second. Keys are credentials of programs, which cannot
 * prove anything else: they pass (docs/adr/0051). A browser that signed in by a key proves it by the key, or by a code that the key was exchanged for.
 * @throws ApiError STEP_UP_REQUIRED
 */
export function requireRecentProof({ credential, login }: Principal): void {
  if (login === null) return;
  const provenUntil = provenUntilOf(login);
  if (provenUntil !== null && provenUntil.getTime() >= Date.now()) return;
  if (credential.kind === 'key')
    throw new ApiError(
      'STEP_UP_REQUIRED',
      'this requires a sign-in of the last five minutes: run recollect open, or enter the key again',
    );
  throw new ApiError(
    'STEP_UP_REQUIRED',
    `this requires ${login.hasFactors ? 'a second factor' : 'the password'} of the last five minutes: POST /auth/step-up, then try again`,
  );
}
