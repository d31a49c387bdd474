import {
  createdKey,
  keyBody,
  keyChange,
  keyQuery,
  keySchema,
  rotateBody,
  rotatedKey,
} from '../../../contract/access.ts';
import { idParams, pageOfItems } from '../../../contract/shared.ts';
import { changeKey, createKey, listKeys } from '../../../stores/postgres/access/key-changes.ts';
import {
  boundsOf,
  futureEnd,
  leavingAnAdmin,
  requireActive,
  requireEnd,
  requireScopes,
  userOf,
} from '../../access-rules.ts';
import { principalOf, guardedRoute, route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { paginationOf } from '../../http/paging.ts';
import { present } from '../../http/present.ts';
import { created, currentKey, keyOf, revoked, rotated, ROTATION } from './key-endings.ts';

const tags = ['access'];

/** `/admin/api-keys`: the keys of the tenant. */
export function keyRoutes(app: Api, { database }: ApiDependencies): void {
  app.get(
    '/admin/api-keys',
    route('admin', {
      tags,
      summary: 'List keys, newest first',
      querystring: keyQuery,
      response: { 200: pageOfItems(keySchema) },
    }),
    async (request) => {
      const { page, limit, user, revoked: ended } = request.query;
      const { rows, total } = await database.asTenant(principalOf(request).tenantId, async (transaction) => {
        const userId = user === undefined ? undefined : (await userOf(transaction, user)).id;
        return listKeys(transaction, { userId, ended, page, limit });
      });
      return { data: rows.map((key) => present(keySchema, key)), pagination: paginationOf(page, limit, total) };
    },
  );

  app.post(
    '/admin/api-keys',
    guardedRoute('admin', {
      tags,
      summary: 'Create a key',
      description: 'The answer is the only one that contains the key.',
      body: keyBody,
      response: { 201: createdKey },
    }),
    async (request, reply) => {
      const principal = principalOf(request);
      const {
        user: given = principal.userId,
        name,
        scopes,
        expires_at,
        requests_per_minute,
        namespaces,
        projects,
      } = request.body;
      const expiresAt = expires_at === undefined ? null : futureEnd(expires_at);
      const answer = await database.asTenant(principal.tenantId, async (transaction) => {
        const user = await userOf(transaction, given);
        requireActive(user, 'user');
        requireScopes(principal, user.role, scopes);
        requireEnd(principal, expiresAt);
        const bounds = await boundsOf(transaction, scopes, { namespaces, projects });
        const { tenantId, userId: createdBy } = principal;
        const requestsPerMinute = requests_per_minute ?? null;
        const wish = { tenantId, userId: user.id, name, scopes, bounds, expiresAt, requestsPerMinute, createdBy };
        return created(transaction, await createKey(transaction, wish));
      });
      return reply.status(201).send(answer);
    },
  );

  app.put(
    '/admin/api-keys/:id',
    guardedRoute('admin', {
      tags,
      summary: 'Change the name, the end or the quota of a key',
      description: 'Not of a key that ended or was replaced.',
      params: idParams,
      body: keyChange,
      response: { 200: keySchema },
    }),
    (request) => {
      const { name, expires_at, requests_per_minute: requestsPerMinute } = request.body;
      const expiresAt = typeof expires_at === 'string' ? futureEnd(expires_at) : expires_at;
      const principal = principalOf(request);
      if (expiresAt !== undefined) requireEnd(principal, expiresAt);
      return database.asTenant(principal.tenantId, async (transaction) => {
        const { id: keyId } = request.params;
        const change = async () => {
          const { id } = await currentKey(transaction, keyId);
          await changeKey(transaction, id, { name, expiresAt, requestsPerMinute });
        };
        await leavingAnAdmin(transaction, 'expires_at', change, expiresAt instanceof Date ? { keyId } : {});
        return present(keySchema, await keyOf(transaction, keyId));
      });
    },
  );

  app.delete(
    '/admin/api-keys/:id',
    route('admin', {
      tags,
      summary: 'Revoke a key; its record is retained',
      description: 'The key stops at once in every process. A revoked key stays revoked.',
      params: idParams,
      response: { 200: keySchema },
    }),
    (request) =>
      database.asTenant(principalOf(request).tenantId, (transaction) => revoked(transaction, request.params.id)),
  );

  app.post(
    '/admin/api-keys/:id/rotate',
    guardedRoute('admin', {
      tags,
      summary: 'Replace a key by a new one',
      description: ROTATION,
      params: idParams,
      body: rotateBody,
      response: { 201: rotatedKey },
    }),
    async (request, reply) => {
      const principal = principalOf(request);
      const { params, body } = request;
      const answer = await database.asTenant(principal.tenantId, (transaction) =>
        rotated(transaction, principal, params.id, body.overlap_s),
      );
      return reply.status(201).send(answer);
    },
  );
}
