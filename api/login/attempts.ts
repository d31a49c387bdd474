import type { FastifyReply, FastifyRequest } from 'fastify';
import { bookAttempt, clearAttempt } from '../../stores/postgres/access/log-ins.ts';
import { ApiError } from '../errors.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { networkOf } from '../http/rate-limits.ts';

/**
 * Makes an attempt to prove to be the user of an account, by a password or a code. It is booked before `prove` runs: concurrent attempts count, too. `prove` returns what it
 * proved; null: the proof is wrong. With `isLast` false another proof follows: the address is not yet known to the user.
 * @throws ApiError RATE_LIMITED while the account is locked for the address
 */
export async function attemptProof<Proof>(
  { database: { pool }, metrics: { authAttempts } }: Pick<ApiDependencies, 'database' | 'metrics'>,
  {
    account,
    userId,
    request,
    reply,
    isLast = () => true,
  }: {
    readonly account: string;
    readonly userId: string | null;
    readonly request: FastifyRequest;
    readonly reply: FastifyReply;
    readonly isLast?: (proof: Proof) => boolean;
  },
  prove: () => Promise<Proof | null>,
): Promise<Proof | null> {
  const attempt = { account, userId, network: networkOf(request.ip) };
  const waitS = await bookAttempt(pool, attempt);
  if (waitS > 0) {
    authAttempts.inc({ result: 'locked' });
    void reply.header('retry-after', waitS);
    throw new ApiError('RATE_LIMITED', `too many failed attempts; try again in ${waitS} s`);
  }
  const proof = await prove();
  authAttempts.inc({ result: proof === null ? 'refused' : 'accepted' });
  if (proof !== null) await clearAttempt(pool, attempt, isLast(proof));
  return proof;
}
