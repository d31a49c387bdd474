import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import {
  addHold,
  holdSubjectExists,
  listLegalHolds,
  releaseHold,
} from '../../../stores/postgres/retention/legal-holds.ts';
import type { StoredHold } from '../../../stores/postgres/retention/legal-holds.ts';
import { lockPolicies } from '../../../stores/postgres/retention/retention-policies.ts';
import { principalOf } from '../../auth.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { ApiError } from '../../errors.ts';
import { dataOf, ERROR_RESPONSES } from '../../../contract/shared.ts';
import { flag } from '../../../contract/query.ts';
import { holdBody, holdSchema } from '../../../contract/retention.ts';

function present(hold: StoredHold): z.input<typeof holdSchema> {
  return {
    id: hold.id,
    subject: hold.subject,
    subject_id: hold.subjectId,
    reason: hold.reason,
    created_by: hold.createdBy,
    created_at: hold.createdAt.toISOString(),
    released_by: hold.releasedBy,
    released_at: hold.releasedAt?.toISOString() ?? null,
  };
}

/** `/admin/legal-holds`: legal holds override policies and requests to delete. */
export function holdRoutes({ database }: ApiDependencies): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.get(
      '/admin/legal-holds',
      {
        config: { access: 'admin' },
        schema: {
          tags: ['retention'],
          summary: 'List legal holds, newest first',
          querystring: z.strictObject({
            released: flag().prefault(false).describe('Include released legal holds'),
          }),
          response: { 200: dataOf(holdSchema), ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const { released } = request.query;
        const legalHolds = await database.asTenant(principalOf(request).tenantId, (transaction) =>
          listLegalHolds(transaction, released),
        );
        return { data: legalHolds.map(present) };
      },
    );
    app.post(
      '/admin/legal-holds',
      {
        config: { access: 'admin' },
        schema: {
          tags: ['retention'],
          summary: 'Add a legal hold to the tenant, a project, a session or a user',
          description: 'Prevents archiving, deletion and changes of the subject until the legal hold is released.',
          body: holdBody,
          response: { 201: holdSchema, ...ERROR_RESPONSES },
        },
      },
      async (request, reply) => {
        const { tenantId, userId } = principalOf(request);
        const { subject, id, reason } = request.body;
        const subjectId = id ?? tenantId;
        const hold = await database.asTenant(tenantId, async (transaction) => {
          await lockPolicies(transaction);
          if (!(await holdSubjectExists(transaction, subject, subjectId)))
            throw new ApiError('NOT_FOUND', `there is no such ${subject}`);
          return addHold(transaction, { tenantId, userId, subject, subjectId, reason });
        });
        return reply.status(201).send(present(hold));
      },
    );
    app.delete(
      '/admin/legal-holds/:id',
      {
        config: { access: 'admin' },
        schema: {
          tags: ['retention'],
          summary: 'Release a legal hold; its record is retained',
          params: z.object({ id: z.uuid() }),
          response: { 200: holdSchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const { tenantId, userId } = principalOf(request);
        const hold = await database.asTenant(tenantId, async (transaction) => {
          await lockPolicies(transaction);
          return releaseHold(transaction, request.params.id, userId);
        });
        if (hold === null) throw new ApiError('NOT_FOUND', 'there is no such hold');
        return present(hold);
      },
    );
    done();
  };
}
