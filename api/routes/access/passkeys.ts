import { z } from 'zod';
import {
  assertionOptions,
  passkeyList,
  passkeySchema,
  registerBody,
  registrationOptions,
  renameBody,
  verifyBody,
} from '../../../contract/passkeys.ts';
import { tokenAnswer } from '../../../contract/login.ts';
import { ERROR_RESPONSES, idParams } from '../../../contract/shared.ts';
import { asId } from '../../../domain/ids.ts';
import type { UserId } from '../../../domain/ids.ts';
import { CHALLENGE_S, startChallenge, takeChallenge } from '../../../stores/postgres/access/auth-challenges.ts';
import {
  addPasskey,
  findPasskey,
  listPasskeys,
  removePasskey,
  renamePasskey,
  usePasskey,
} from '../../../stores/postgres/access/passkeys.ts';
import { recordProof } from '../../../stores/postgres/access/user-sessions.ts';
import { readUser } from '../../../stores/postgres/access/users.ts';
import { leavingAnAdmin } from '../../access-rules.ts';
import { guardedRoute, principalOf, route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { ApiError, conflict, existing, invalid } from '../../errors.ts';
import { present } from '../../http/present.ts';
import { startUserSession } from '../../login/user-sessions.ts';
import {
  ALGORITHMS,
  bytesOf,
  challengeOf,
  newChallenge,
  userHandleOf,
  verifiedAssertion,
  verifiedRegistration,
} from '../../passkeys/ceremonies.ts';
import { relyingParty } from '../../passkeys/relying-party.ts';

const tags = ['access'];
/** A registration with an RSA key takes 2 KB. */
const CREDENTIAL_BYTES = 32_768;
const MOST_PASSKEYS = 20;
const timeout = CHALLENGE_S * 1_000;

const registrationStarted = z.object({ session_id: z.string() });
const logInStarted = z.object({});

/** The same for every fault: the answer does not confirm that a passkey exists. */
function notAccepted(): ApiError {
  return new ApiError('INVALID_CREDENTIALS', 'the passkey is not accepted; start the log-in again');
}

/** `/auth/passkeys`: log-in with passkeys, and the passkeys of the caller. */
export function passkeyRoutes(app: Api, dependencies: ApiDependencies): void {
  const { config, database } = dependencies;

  app.get(
    '/auth/passkeys',
    route('account', { tags, summary: 'List your passkeys, newest first', response: { 200: passkeyList } }),
    async (request) => {
      const { tenantId, userId } = principalOf(request);
      const rows = await database.asTenant(tenantId, (transaction) => listPasskeys(transaction, userId));
      return { data: rows.map((row) => present(passkeySchema, row)) };
    },
  );

  app.post(
    '/auth/passkeys/register/options',
    guardedRoute('session', {
      tags,
      summary: 'Begin the registration of a passkey',
      description: 'Options for `navigator.credentials.create`. Needs a log-in with a proof of the last five minutes.',
      response: { 200: registrationOptions },
    }),
    async (request) => {
      const { id: rpId } = relyingParty(config.http);
      const { tenantId, userId, credential: session } = principalOf(request);
      const { user, passkeys } = await database.asTenant(tenantId, async (transaction) => ({
        user: existing(await readUser(transaction, userId), 'user'),
        passkeys: await listPasskeys(transaction, userId),
      }));
      const challenge = newChallenge();
      await startChallenge(database, 'passkey_registration', challenge, { session_id: session.id });
      return {
        challenge,
        rp: { id: rpId, name: 'Recollect' },
        user: { id: userHandleOf(userId), name: user.username, displayName: user.username },
        pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key' as const, alg })),
        timeout,
        attestation: 'none' as const,
        excludeCredentials: passkeys.map(({ credentialId }) => ({
          id: Buffer.from(credentialId).toString('base64url'),
          type: 'public-key' as const,
        })),
        authenticatorSelection: {
          residentKey: 'required' as const,
          requireResidentKey: true as const,
          userVerification: 'required' as const,
        },
      };
    },
  );

  app.post(
    '/auth/passkeys/register',
    {
      ...guardedRoute('session', {
        tags,
        summary: 'Register a passkey',
        description: 'With the result of `navigator.credentials.create`, in the session that started the registration.',
        body: registerBody,
        response: { 201: passkeySchema },
      }),
      bodyLimit: CREDENTIAL_BYTES,
    },
    async (request, reply) => {
      const party = relyingParty(config.http);
      const { tenantId, userId, credential: session } = principalOf(request);
      const { name, credential } = request.body;
      const challenge = challengeOf(credential) ?? '';
      const started = await takeChallenge(database, 'passkey_registration', challenge, registrationStarted);
      const created =
        started?.session_id === session.id ? await verifiedRegistration(credential, challenge, party) : null;
      if (created === null)
        throw invalid('credential', 'is not the answer to a registration that this session started');
      const passkey = await database.asTenant(tenantId, async (transaction) => {
        if ((await listPasskeys(transaction, userId)).length >= MOST_PASSKEYS)
          throw conflict('credential', `would be more than ${MOST_PASSKEYS}; delete a passkey first`, 'the passkey');
        // The authenticator verified the user: else the session would need another proof at once.
        await recordProof(transaction, session.id);
        return addPasskey(transaction, { tenantId, userId, name, ...created });
      });
      if (passkey === null) throw conflict('credential', 'is registered already', 'the passkey');
      return reply.status(201).send(present(passkeySchema, passkey));
    },
  );

  app.put(
    '/auth/passkeys/:id',
    route('session', {
      tags,
      summary: 'Rename one of your passkeys',
      description: 'Needs a log-in. Two passkeys may have the same name.',
      params: idParams,
      body: renameBody,
      response: { 200: passkeySchema },
    }),
    async (request) => {
      const { tenantId, userId } = principalOf(request);
      const renamed = { id: request.params.id, name: request.body.name };
      const passkey = await database.asTenant(tenantId, (transaction) => renamePasskey(transaction, userId, renamed));
      return present(passkeySchema, existing(passkey, 'passkey', 'id'));
    },
  );

  app.delete(
    '/auth/passkeys/:id',
    guardedRoute('session', {
      tags,
      summary: 'Delete one of your passkeys',
      description: 'Needs a log-in with a proof of the last five minutes. Sessions that the passkey started continue.',
      params: idParams,
      response: { 200: passkeySchema },
    }),
    async (request) => {
      const { tenantId, userId } = principalOf(request);
      const { id } = request.params;
      const removed = await database.asTenant(tenantId, (transaction) =>
        leavingAnAdmin(transaction, 'id', () => removePasskey(transaction, userId, id)),
      );
      return present(passkeySchema, existing(removed, 'passkey', 'id'));
    },
  );

  app.post(
    '/auth/passkeys/options',
    {
      config: { access: 'open', startsLogin: true },
      schema: {
        tags,
        summary: 'Begin a log-in with a passkey',
        description: 'Options for `navigator.credentials.get`. The browser offers the passkeys of this server.',
        response: { 200: assertionOptions, ...ERROR_RESPONSES },
      },
    },
    async () => {
      const { id: rpId } = relyingParty(config.http);
      const challenge = newChallenge();
      await startChallenge(database, 'passkey_log_in', challenge);
      return { challenge, rpId, timeout, userVerification: 'required' as const, allowCredentials: [] };
    },
  );

  app.post(
    '/auth/passkeys/verify',
    {
      ...route('open', {
        tags,
        summary: 'Complete a log-in with a passkey',
        description:
          'With the result of `navigator.credentials.get`. A passkey with user verification counts as two factors.',
        body: verifyBody,
        response: { 200: tokenAnswer, ...ERROR_RESPONSES },
      }),
      bodyLimit: CREDENTIAL_BYTES,
    },
    async (request, reply) => {
      const party = relyingParty(config.http);
      const { credential } = request.body;
      const challenge = challengeOf(credential) ?? '';
      if ((await takeChallenge(database, 'passkey_log_in', challenge, logInStarted)) === null) throw notAccepted();
      const passkey = await findPasskey(database, bytesOf(credential.id));
      if (passkey === null || credential.response.userHandle !== userHandleOf(passkey.userId)) throw notAccepted();
      const { tenantId, userId, authVersion } = passkey;
      const signCount = await verifiedAssertion(credential, challenge, passkey.publicKey, party);
      if (signCount === null) throw notAccepted();
      if (!(await database.asTenant(tenantId, (transaction) => usePasskey(transaction, passkey.id, signCount)))) {
        // The right signature with a counter that was used: there is a copy of the authenticator.
        request.accused = { tenantId, userId: asId<UserId>(userId) };
        throw notAccepted();
      }
      const user = { tenantId, userId, authVersion, methods: ['passkey'] as const, mfaAt: new Date() };
      return startUserSession(dependencies, user, request, reply);
    },
  );
}
