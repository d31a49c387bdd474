import { errors } from 'oidc-provider';
import type { Adapter, AdapterPayload } from 'oidc-provider';
import { OAUTH_SCOPES } from '../../domain/oauth.ts';
import { endGrant, findGrant } from '../../stores/postgres/access/oauth-grants.ts';
import type { GrantEnd } from '../../stores/postgres/access/oauth-grants.ts';
import {
  consumeOauthPayload,
  expireOauthPayload,
  findOauthPayload,
  OAUTH_MODELS,
  saveOauthPayload,
} from '../../stores/postgres/access/oauth-payloads.ts';
import type { OauthModel } from '../../stores/postgres/access/oauth-payloads.ts';
import type { Database } from '../../stores/postgres/connection/database.ts';
import { wellFormedJson } from '../http/json.ts';

/**
 * A used refresh token counts as used after this time only: of several processes of a client that refresh at once each gets the same next token, and a lost
 * answer can be requested again.
 */
const REUSE_GRACE_MS = 10_000;
/** A registered client is deleted if no user gives it access within this time. */
const REGISTRATION_S = 86_400;

/** The user of a grant as one name, which the library stores with codes and tokens. */
export function accountIdOf(tenantId: string, userId: string): string {
  return `${tenantId}/${userId}`;
}

export interface AdapterOptions {
  readonly database: Database;
  /** Audience of all tokens. */
  readonly resource: string;
  /** Address to which a browser returns after an interaction; it contains the id. */
  readonly resumeUrl: (id: string) => string;
  /** A refresh token was used, for the first time or again within the grace time. */
  readonly onRefresh: (result: 'rotated' | 'repeated') => void;
}

const nothing = async (): Promise<undefined> => undefined;

/** The library looks users up by cookie with this: here every authorization begins with a log-in. */
const SESSIONS: Adapter = {
  upsert: nothing,
  find: nothing,
  findByUid: nothing,
  findByUserCode: nothing,
  consume: nothing,
  destroy: nothing,
  revokeByGrantId: nothing,
};

/** Ends a grant, if it works. With it, its codes and tokens end. */
async function end(database: Database, id: string, reason: GrantEnd): Promise<void> {
  const grant = await findGrant(database, id);
  if (grant !== null) await database.asTenant(grant.tenantId, (transaction) => endGrant(transaction, id, reason));
}

const seconds = (date: Date): number => Math.floor(date.getTime() / 1_000);

/** Grants, which the consent page creates and the library reads and ends. */
function grants({ database, resource }: AdapterOptions, endReason: () => GrantEnd): Adapter {
  return {
    ...SESSIONS,
    async find(id) {
      const grant = await findGrant(database, id);
      if (grant === null) return undefined;
      const granted = grant.scopes.join(' ');
      const rejected = OAUTH_SCOPES.filter((scope) => !grant.scopes.includes(scope)).join(' ');
      return {
        jti: id,
        kind: 'Grant',
        accountId: accountIdOf(grant.tenantId, grant.userId),
        clientId: grant.clientId,
        iat: seconds(grant.createdAt),
        exp: seconds(grant.expiresAt),
        // The library compares both kinds.
        openid: { scope: granted },
        resources: { [resource]: granted },
        rejected: { openid: { scope: rejected }, resources: { [resource]: rejected } },
      };
    },
    destroy: (id) => end(database, id, endReason()),
  };
}

function payloads({ database, resumeUrl, onRefresh }: AdapterOptions, model: OauthModel): Adapter {
  return {
    ...SESSIONS,
    async upsert(id, { jti: _id, returnTo: _address, ...payload }: AdapterPayload, expiresIn = REGISTRATION_S) {
      const expiresAt = new Date(Date.now() + expiresIn * 1_000);
      await saveOauthPayload(database, model, id, {
        grantId: payload.grantId ?? null,
        // PostgreSQL stores no NUL and no half of a pair.
        payload: wellFormedJson(payload),
        expiresAt,
      });
    },
    async find(id) {
      const row = await findOauthPayload(database, model, id);
      if (row === null) return undefined;
      const isConsumed = row.consumedMs !== null && (model !== 'RefreshToken' || row.consumedMs > REUSE_GRACE_MS);
      return {
        ...row.payload,
        ...(model === 'Client' ? {} : { jti: id }),
        ...(model === 'Interaction' ? { returnTo: resumeUrl(id) } : {}),
        ...(isConsumed ? { consumed: true } : {}),
      };
    },
    async consume(id) {
      const isFirst = await consumeOauthPayload(database, model, id);
      if (model === 'RefreshToken') onRefresh(isFirst ? 'rotated' : 'repeated');
      if (isFirst || model === 'RefreshToken') return;
      // Two requests with one code at once: one of them is not the client.
      const row = await findOauthPayload(database, model, id);
      const grantId = row?.payload['grantId'];
      if (typeof grantId === 'string') await end(database, grantId, 'reuse');
      throw new errors.InvalidGrant('authorization code already consumed');
    },
    destroy: (id) => expireOauthPayload(database, model, id),
  };
}

/** Returns the store of a model of the library. `endReason`: why the running request ends a grant. */
export function createAdapter(options: AdapterOptions, endReason: () => GrantEnd): (name: string) => Adapter {
  return (name) => {
    if (name === 'Session') return SESSIONS;
    if (name === 'Grant') return grants(options, endReason);
    const model = OAUTH_MODELS.find((known) => known === name);
    if (model === undefined) throw new Error(`the authorization server does not store ${name}`);
    return payloads(options, model);
  };
}
