import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { LoginMethod } from '../../domain/access.ts';
import type { TenantId } from '../../domain/ids.ts';
import { seal, unseal } from '../../domain/sealing.ts';
import { stepOfCode, TOTP_SECRET_BYTES } from '../../domain/totp.ts';
import { enrolTotp, readTotp, useRecoveryCode, useTotpStep } from '../../stores/postgres/access/factors.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ApiError } from '../errors.ts';
import { attemptProof } from './attempts.ts';
import { requireRing } from './signed-tokens.ts';

interface User {
  readonly tenantId: TenantId;
  readonly userId: string;
}
type Needs = Pick<ApiDependencies, 'database' | 'metrics' | 'readKeyRing' | 'clock'>;
/** A code of six digits, or a recovery code. */
export type GivenCode = { readonly kind: 'totp' | 'recovery'; readonly code: string };

const placeOf = ({ tenantId, userId }: User) =>
  ({ column: 'mfa_totp.sealed_secret', tenantId, rowId: userId }) as const;

/** Creates the secret of an authenticator; returns it, or null if the user has a confirmed authenticator. */
export async function createTotpSecret({ database, readKeyRing }: Needs, user: User): Promise<Buffer | null> {
  const secret = randomBytes(TOTP_SECRET_BYTES);
  const sealed = seal(requireRing(readKeyRing), placeOf(user), secret);
  const isStored = await database.asTenant(user.tenantId, (transaction) => enrolTotp(transaction, user, sealed));
  return isStored ? secret : null;
}

/** Checks the code of an authenticator, which works once. `isFirst`: the code confirms it. */
export async function proveTotp(
  { database, readKeyRing, clock }: Needs,
  user: User,
  code: string,
  isFirst = false,
): Promise<boolean> {
  const ring = requireRing(readKeyRing);
  return database.asTenant(user.tenantId, async (transaction) => {
    const totp = await readTotp(transaction, user.userId);
    if (totp === null || totp.isConfirmed === isFirst) return false;
    const step = stepOfCode(unseal(ring, placeOf(user), totp.sealedSecret), code, clock.now());
    return step !== null && useTotpStep(transaction, user.userId, step, isFirst);
  });
}

/**
 * Requires the second factor of a user; each attempt counts as one of the account. Returns the method.
 * @throws ApiError INVALID_CREDENTIALS, RATE_LIMITED
 */
export async function requireFactor(
  needs: Needs,
  user: User,
  { kind, code }: GivenCode,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<LoginMethod> {
  const { database } = needs;
  const { userId } = user;
  const prove = () =>
    kind === 'totp'
      ? proveTotp(needs, user, code)
      : database.asTenant(user.tenantId, (transaction) => useRecoveryCode(transaction, userId, code));
  const proven = await attemptProof(needs, { account: userId, userId, request, reply }, async () =>
    (await prove()) ? kind : null,
  );
  if (proven === null) throw new ApiError('INVALID_CREDENTIALS', 'the code is wrong or was used');
  return proven;
}
