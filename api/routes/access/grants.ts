import { grantQuery, grantSchema } from '../../../contract/grants.ts';
import { idParams, pageOfItems } from '../../../contract/shared.ts';
import { endGrant, listGrants, readGrant } from '../../../stores/postgres/access/oauth-grants.ts';
import type { TenantTransaction } from '../../../stores/postgres/connection/database.ts';
import { userOf } from '../../access-rules.ts';
import { isAdmin, mayActFor, principalOf, route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { ApiError, existing } from '../../errors.ts';
import { paginationOf } from '../../http/paging.ts';
import { present } from '../../http/present.ts';

const tags = ['access'];

/** `/auth/grants`: the access of OAuth clients; one's own, for admins that of all users of the tenant. */
export function grantRoutes(app: Api, { database }: ApiDependencies): void {
  app.get(
    '/auth/grants',
    route('account', {
      tags,
      summary: 'List grants of OAuth clients, newest first',
      querystring: grantQuery,
      response: { 200: pageOfItems(grantSchema) },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { page, limit, user, all, ended } = request.query;
      if ((user !== undefined || all) && !isAdmin(principal))
        throw new ApiError('FORBIDDEN', 'only admins list grants of other users', [
          { field: all ? 'all' : 'user', message: 'is for admins' },
        ]);
      const listedUser = async (transaction: TenantTransaction): Promise<string | undefined> => {
        if (user !== undefined) return (await userOf(transaction, user)).id;
        return all ? undefined : principal.userId;
      };
      const { rows, total } = await database.asTenant(principal.tenantId, async (transaction) => {
        return listGrants(transaction, { userId: await listedUser(transaction), ended, page, limit });
      });
      return { data: rows.map((grant) => present(grantSchema, grant)), pagination: paginationOf(page, limit, total) };
    },
  );

  app.delete(
    '/auth/grants/:id',
    route('account', {
      tags,
      summary: 'Revoke a grant; its record is retained',
      description: 'The tokens of the client stop at once in every process. An ended grant is unchanged.',
      params: idParams,
      response: { 200: grantSchema },
    }),
    (request) => {
      const principal = principalOf(request);
      return database.asTenant(principal.tenantId, async (transaction) => {
        const found = await readGrant(transaction, request.params.id);
        // The same answer for the grant of another user as for an unknown id.
        const grant = existing(mayActFor(principal, found?.userId) ? found : null, 'grant');
        await endGrant(transaction, grant.id, 'revoked');
        return present(grantSchema, existing(await readGrant(transaction, grant.id), 'grant'));
      });
    },
  );
}
