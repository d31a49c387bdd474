import { conflict, existing } from '../../errors.ts';
import { z } from 'zod';
import { isErasingUnder } from '../../../stores/postgres/erasure/erasures.ts';
import { addHold, listLegalHolds, releaseHold } from '../../../stores/postgres/retention/legal-holds.ts';
import { lockPolicies } from '../../../stores/postgres/retention/retention-policies.ts';
import { guardedRoute, principalOf, route, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { present } from '../../http/present.ts';
import { dataOf, idParams } from '../../../contract/shared.ts';
import { flag } from '../../../contract/query.ts';
import { holdBody, holdSchema } from '../../../contract/retention.ts';

/** `/admin/legal-holds`: legal holds override policies and requests to delete. */
export function holdRoutes(app: Api, { database }: ApiDependencies): void {
  app.get(
    '/admin/legal-holds',
    route('admin', {
      tags: ['retention'],
      summary: 'List legal holds, newest first',
      querystring: z.strictObject({
        released: flag().prefault(false).describe('Include released legal holds'),
      }),
      response: { 200: dataOf(holdSchema) },
    }),
    async (request) => {
      const { released } = request.query;
      const legalHolds = await database.asTenant(viewOf(principalOf(request)), (transaction) =>
        listLegalHolds(transaction, released),
      );
      return { data: legalHolds.map((hold) => present(holdSchema, hold)) };
    },
  );
  app.post(
    '/admin/legal-holds',
    route('admin', {
      tags: ['retention'],
      summary: 'Add a legal hold to the tenant, a project, a session or a user',
      description: 'Prevents archiving, deletion and changes of the subject until the legal hold is released.',
      body: holdBody,
      response: { 201: holdSchema },
    }),
    async (request, reply) => {
      const { tenantId, userId } = principalOf(request);
      const { subject, id, reason } = request.body;
      const subjectId = id ?? tenantId;
      const hold = await database.asTenant(tenantId, async (transaction) => {
        await lockPolicies(transaction);
        const added = existing(await addHold(transaction, { tenantId, userId, subject, subjectId, reason }), subject);
        if (await isErasingUnder(transaction, subject, subjectId))
          throw conflict('id', 'is being erased: cancel the erasure, if it has not deleted anything', `the ${subject}`);
        return added;
      });
      return reply.status(201).send(present(holdSchema, hold));
    },
  );
  app.delete(
    '/admin/legal-holds/:id',
    guardedRoute('admin', {
      tags: ['retention'],
      summary: 'Release a legal hold; its record is retained',
      params: idParams,
      response: { 200: holdSchema },
    }),
    async (request) => {
      const { tenantId, userId } = principalOf(request);
      const hold = await database.asTenant(tenantId, async (transaction) => {
        await lockPolicies(transaction);
        return existing(await releaseHold(transaction, request.params.id, userId), 'hold');
      });
      return present(holdSchema, hold);
    },
  );
}
