import { identityList, identityParams, identitySchema } from '../../../contract/single-sign-on.ts';
import { userParams } from '../../../contract/access.ts';
import { listIdentities, removeIdentity } from '../../../stores/postgres/access/identities.ts';
import { endUserSessions } from '../../../stores/postgres/access/user-sessions.ts';
import { leavingAnAdmin, userOf } from '../../access-rules.ts';
import { guardedRoute, principalOf, route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { existing } from '../../errors.ts';
import { present } from '../../http/present.ts';

const tags = ['access'];

/** `/admin/users/{id}/identities`: the users of the tenant at log-in providers. */
export function identityRoutes(app: Api, { database }: ApiDependencies): void {
  app.get(
    '/admin/users/:id/identities',
    route('admin', {
      tags,
      summary: 'List the identities of a user at log-in providers, newest first',
      params: userParams,
      response: { 200: identityList },
    }),
    async (request) => {
      const rows = await database.asTenant(principalOf(request).tenantId, async (transaction) =>
        listIdentities(transaction, (await userOf(transaction, request.params.id)).id),
      );
      return { data: rows.map((row) => present(identitySchema, row)) };
    },
  );

  app.delete(
    '/admin/users/:id/identities/:identity_id',
    guardedRoute('admin', {
      tags,
      summary: 'Remove an identity of a user at a log-in provider',
      description:
        'The user cannot log in by it any more, and its sessions end. If the provider creates users, the next log-in creates another user.',
      params: identityParams,
      response: { 200: identitySchema },
    }),
    (request) =>
      database.asTenant(principalOf(request).tenantId, async (transaction) => {
        const { id } = await userOf(transaction, request.params.id);
        const remove = () => removeIdentity(transaction, id, request.params.identity_id);
        const removed = await leavingAnAdmin(transaction, 'identity_id', remove);
        await endUserSessions(transaction, id, { exceptId: null }, 'ended');
        return present(identitySchema, existing(removed, 'identity', 'identity_id'));
      }),
  );
}
