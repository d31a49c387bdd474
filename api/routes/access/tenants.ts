import {
  createdTenant,
  invitedAnswer,
  listedTenant,
  tenantBody,
  tenantChange,
  tenantQuery,
  tenantSchema,
} from '../../../contract/access.ts';
import { idParams, pageOfItems } from '../../../contract/shared.ts';
import { asId, newId } from '../../../domain/ids.ts';
import type { TenantId } from '../../../domain/ids.ts';
import { changeTenant, createTenant, listTenants, readTenant } from '../../../stores/postgres/access/tenants.ts';
import { createUser, firstAdmin, hasJoinedAdmin, lockAccess } from '../../../stores/postgres/access/users.ts';
import { databaseCodes } from '../../../stores/postgres/connection/database-codes.ts';
import { guardedRoute, route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { conflict, existing } from '../../errors.ts';
import { paginationOf } from '../../http/paging.ts';
import { present } from '../../http/present.ts';
import { invited } from './users.ts';

const tags = ['access'];
const UNIQUE = 'P2002';

/** `/admin/tenants`: the tenants of the instance, for operators. */
export function tenantRoutes(app: Api, { database }: ApiDependencies): void {
  app.get(
    '/admin/tenants',
    route('operator', {
      tags,
      summary: 'List tenants, newest first',
      querystring: tenantQuery,
      response: { 200: pageOfItems(listedTenant) },
    }),
    async (request) => {
      const { page, limit } = request.query;
      const { rows, total } = await listTenants(database, page, limit);
      return { data: rows.map((row) => present(listedTenant, row)), pagination: paginationOf(page, limit, total) };
    },
  );

  app.post(
    '/admin/tenants',
    guardedRoute('operator', {
      tags,
      summary: 'Add a tenant with its first admin, and return an invite of that admin',
      body: tenantBody,
      response: { 201: createdTenant },
    }),
    async (request, reply) => {
      const { name, admin } = request.body;
      const tenantId = newId<TenantId>();
      const answer = await database.asTenant(tenantId, async (transaction) => {
        if (!(await createTenant(transaction, tenantId, name))) throw conflict('name', 'is taken');
        const tenant = present(tenantSchema, existing(await readTenant(transaction, tenantId), 'tenant'));
        const { username, email = null } = admin;
        const userId = existing(await createUser(transaction, { tenantId, username, email, role: 'admin' }), 'user');
        return { tenant, ...(await invited(transaction, { tenantId, userId, createdBy: null })) };
      });
      return reply.status(201).send(answer);
    },
  );

  app.post(
    '/admin/tenants/:id/invite',
    guardedRoute('operator', {
      tags,
      summary: 'Invite the first admin of a tenant again',
      description:
        'Until an admin of the tenant joined or logged in: from then on, its admins alone invite. Older invites of that admin end.',
      params: idParams,
      response: { 201: invitedAnswer },
    }),
    async (request, reply) => {
      const tenantId = asId<TenantId>(request.params.id);
      const answer = await database.asTenant(tenantId, async (transaction) => {
        existing(await readTenant(transaction, tenantId), 'tenant');
        await lockAccess(transaction);
        if (await hasJoinedAdmin(transaction))
          throw conflict('id', 'has an admin who joined: its admins invite users', 'the tenant');
        const userId = existing(await firstAdmin(transaction), 'admin', 'id');
        return invited(transaction, { tenantId, userId, createdBy: null });
      });
      return reply.status(201).send(answer);
    },
  );

  app.put(
    '/admin/tenants/:id',
    guardedRoute('operator', {
      tags,
      summary: 'Rename, suspend or resume a tenant',
      description:
        'No key of a suspended tenant works; its data remain, and its jobs continue. The tenant of the operators cannot be suspended.',
      params: idParams,
      body: tenantChange,
      response: { 200: tenantSchema },
    }),
    async (request) => {
      const tenantId = asId<TenantId>(request.params.id);
      const { name, suspended } = request.body;
      try {
        return await database.asTenant(tenantId, async (transaction) => {
          const tenant = existing(await readTenant(transaction, tenantId), 'tenant');
          if (tenant.isOperator && suspended === true)
            throw conflict('suspended', 'cannot be set for the tenant of the operators');
          await changeTenant(transaction, tenant, { name, suspended });
          return present(tenantSchema, existing(await readTenant(transaction, tenantId), 'tenant'));
        });
      } catch (error) {
        if (error instanceof Error && databaseCodes(error).includes(UNIQUE)) throw conflict('name', 'is taken');
        throw error;
      }
    },
  );
}
