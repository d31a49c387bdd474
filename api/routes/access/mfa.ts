import {
  confirmedTotp,
  confirmTotpBody,
  mfaBody,
  recoveryBody,
  removedFactors,
  stepUpBody,
  tokenAnswer,
  totpSecret,
} from '../../../contract/login.ts';
import { ERROR_RESPONSES } from '../../../contract/shared.ts';
import type { LoginMethod } from '../../../domain/access.ts';
import { base32, otpauthUri } from '../../../domain/totp.ts';
import { removeTotp, replaceRecoveryCodes } from '../../../stores/postgres/access/factors.ts';
import { readPassword } from '../../../stores/postgres/access/log-ins.ts';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { guardedRoute, principalOf, route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { ApiError, conflict, invalid } from '../../errors.ts';
import { createTotpSecret, proveTotp, requireFactor } from '../../login/factors.ts';
import type { GivenCode } from '../../login/factors.ts';
import { proveBySecondStep, provePassword } from '../../login/log-in.ts';
import { replaceUserSession, startUserSession } from '../../login/user-sessions.ts';

const tags = ['access'];
const ISSUER = 'Recollect';
/** A password of 1,024 characters, each escaped as twelve bytes in JSON, with a code. */
const STEP_UP_BYTES = 16_384;

/** `/auth/mfa` and `/auth/step-up`: second factors, and proofs of them. */
export function mfaRoutes(app: Api, dependencies: ApiDependencies): void {
  const { database } = dependencies;

  /** Completes a log-in whose password was right. */
  const secondStep = async (token: string, given: GivenCode, request: FastifyRequest, reply: FastifyReply) => {
    const proven = await proveBySecondStep(dependencies, token, given, request, reply);
    return startUserSession(dependencies, proven, request, reply);
  };

  app.post(
    '/auth/mfa/verify',
    route('open', {
      tags,
      summary: 'Complete a log-in by the code of an authenticator',
      body: mfaBody,
      response: { 200: tokenAnswer, ...ERROR_RESPONSES },
    }),
    (request, reply) => secondStep(request.body.mfa_token, { kind: 'totp', code: request.body.code }, request, reply),
  );

  app.post(
    '/auth/mfa/recovery',
    route('open', {
      tags,
      summary: 'Complete a log-in by a recovery code',
      body: recoveryBody,
      response: { 200: tokenAnswer, ...ERROR_RESPONSES },
    }),
    (request, reply) =>
      secondStep(request.body.mfa_token, { kind: 'recovery', code: request.body.code }, request, reply),
  );

  app.post(
    '/auth/mfa/totp',
    guardedRoute('session', { tags, summary: 'Create the secret of an authenticator', response: { 201: totpSecret } }),
    async (request, reply) => {
      const { tenantId, userId } = principalOf(request);
      const secret = await createTotpSecret(dependencies, { tenantId, userId });
      if (secret === null) throw conflict('totp', 'exists; remove it first', 'the authenticator');
      const { username } = await database.asTenant(tenantId, (transaction) => readPassword(transaction, userId));
      const text = base32(secret);
      return reply.status(201).send({ secret: text, otpauth_uri: otpauthUri(text, username, ISSUER) });
    },
  );

  app.post(
    '/auth/mfa/totp/confirm',
    guardedRoute('session', {
      tags,
      summary: 'Confirm an authenticator by its first code, and return recovery codes',
      description: 'The session is replaced by a new one.',
      body: confirmTotpBody,
      response: { 200: confirmedTotp },
    }),
    async (request, reply) => {
      const principal = principalOf(request);
      const { tenantId, userId } = principal;
      if (!(await proveTotp(dependencies, { tenantId, userId }, request.body.code, true)))
        throw new ApiError('INVALID_CREDENTIALS', 'the code is wrong, or there is no authenticator to confirm');
      const codes = await database.asTenant(tenantId, (transaction) =>
        replaceRecoveryCodes(transaction, { tenantId, userId }),
      );
      const token = await replaceUserSession(dependencies, principal, ['totp'], new Date(), request, reply);
      return { recovery_codes: codes, token };
    },
  );

  app.delete(
    '/auth/mfa/totp',
    guardedRoute('session', {
      tags,
      summary: 'Remove the authenticator and the recovery codes',
      response: { 200: removedFactors },
    }),
    async (request) => {
      const { tenantId, userId } = principalOf(request);
      return { removed: await database.asTenant(tenantId, (transaction) => removeTotp(transaction, userId)) };
    },
  );

  app.post(
    '/auth/step-up',
    {
      ...route('session', {
        tags,
        summary: 'Prove the identity again, for routes that need a recent proof',
        description: 'The session is replaced by a new one.',
        body: stepUpBody,
        response: { 200: tokenAnswer },
      }),
      bodyLimit: STEP_UP_BYTES,
    },
    async (request, reply) => {
      const principal = principalOf(request);
      const { tenantId, userId, login } = principal;
      const { code, recovery_code: recovery, password } = request.body;
      const replaced = (method: LoginMethod, mfaAt: Date | null) =>
        replaceUserSession(dependencies, principal, [method], mfaAt, request, reply);
      if (login?.hasFactors === true) {
        const given: GivenCode | null =
          code !== undefined
            ? { kind: 'totp', code }
            : recovery !== undefined
              ? { kind: 'recovery', code: recovery }
              : null;
        if (given === null) throw invalid('code', 'is required: the account has a second factor');
        return replaced(await requireFactor(dependencies, { tenantId, userId }, given, request, reply), new Date());
      }
      if (password === undefined) throw invalid('password', 'is required: the account has no second factor');
      const { passwordHash } = await database.asTenant(tenantId, (transaction) => readPassword(transaction, userId));
      if (passwordHash === null) throw conflict('password', 'does not exist; log in again', 'the password');
      await provePassword(dependencies, { userId, passwordHash, password }, request, reply);
      return replaced('password', null);
    },
  );
}
