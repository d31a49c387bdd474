import { keySchema, ownKeyQuery, rotateBody, rotatedKey } from '../../../contract/access.ts';
import { idParams, pageOfItems } from '../../../contract/shared.ts';
import { listKeys } from '../../../stores/postgres/access/key-changes.ts';
import { requireOwnBounds, requireOwnScopes } from '../../access-rules.ts';
import { principalOf, guardedRoute, route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { paginationOf } from '../../http/paging.ts';
import { present } from '../../http/present.ts';
import { keyOf, revoked, rotated, ROTATION } from './key-endings.ts';

const tags = ['access'];

/** `/auth/api-keys`: the caller's own keys, for users of every role. Admins create keys. */
export function ownKeyRoutes(app: Api, { database }: ApiDependencies): void {
  app.get(
    '/auth/api-keys',
    route('key', {
      tags,
      summary: 'List your own keys, newest first',
      querystring: ownKeyQuery,
      response: { 200: pageOfItems(keySchema) },
    }),
    async (request) => {
      const { page, limit, revoked: ended } = request.query;
      const { tenantId, userId } = principalOf(request);
      const { rows, total } = await database.asTenant(tenantId, (transaction) =>
        listKeys(transaction, { userId, ended, page, limit }),
      );
      return { data: rows.map((key) => present(keySchema, key)), pagination: paginationOf(page, limit, total) };
    },
  );

  app.delete(
    '/auth/api-keys/:id',
    route('key', {
      tags,
      summary: 'Revoke one of your own keys',
      description:
        'Not one with scopes that the key of the caller lacks, or beyond its bounds: an agent cannot stop the keys of its user.',
      params: idParams,
      response: { 200: keySchema },
    }),
    (request) => {
      const principal = principalOf(request);
      const { id } = request.params;
      return database.asTenant(principal.tenantId, async (transaction) => {
        const key = await keyOf(transaction, id, principal.userId);
        requireOwnScopes(principal, key.scopes);
        requireOwnBounds(principal, key);
        return revoked(transaction, id, principal.userId);
      });
    },
  );

  app.post(
    '/auth/api-keys/:id/rotate',
    guardedRoute('key', {
      tags,
      summary: 'Replace one of your own keys by a new one',
      description: ROTATION,
      params: idParams,
      body: rotateBody,
      response: { 201: rotatedKey },
    }),
    async (request, reply) => {
      const principal = principalOf(request);
      const { params, body } = request;
      const answer = await database.asTenant(principal.tenantId, (transaction) =>
        rotated(transaction, principal, params.id, body.overlap_s, principal.userId),
      );
      return reply.status(201).send(answer);
    },
  );
}
