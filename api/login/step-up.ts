import type { Principal } from '../../stores/postgres/access/principal.ts';
import { ApiError } from '../errors.ts';

/** Age up to which a proof of identity counts. */
const PROOF_MS = 300_000;

/**
 * Requires a session to have a recent proof of identity: a second factor, or the first one of a user without a second. Keys are credentials of programs, which cannot
 * prove anything else: they pass (docs/adr/0051).
 * @throws ApiError STEP_UP_REQUIRED
 */
export function requireRecentProof({ login }: Principal): void {
  if (login === null) return;
  const provenAt = login.hasFactors ? login.mfaAt : login.authenticatedAt;
  if (provenAt === null || Date.now() - provenAt.getTime() > PROOF_MS)
    throw new ApiError(
      'STEP_UP_REQUIRED',
      `this requires ${login.hasFactors ? 'a second factor' : 'the password'} of the last five minutes: POST /auth/step-up, then try again`,
    );
}
