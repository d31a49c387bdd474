import {
  invitedAnswer,
  inviteSchema,
  userBody,
  userChange,
  userParams,
  userQuery,
  userSchema,
} from '../../../contract/access.ts';
import { removedFactors } from '../../../contract/login.ts';
import { pageOfItems } from '../../../contract/shared.ts';
import type { TenantId } from '../../../domain/ids.ts';
import { endAllSessions, removeTotp } from '../../../stores/postgres/access/factors.ts';
import { removePasskeys } from '../../../stores/postgres/access/passkeys.ts';
import { createInvite, endInvites } from '../../../stores/postgres/access/invites.ts';
import { changeUser, createUser, listUsers, lockAccess, readUser } from '../../../stores/postgres/access/users.ts';
import type { TenantTransaction } from '../../../stores/postgres/connection/database.ts';
import { leavingAnAdmin, requireActive, requireInviting, requireRaising, userOf } from '../../access-rules.ts';
import { guardedRoute, principalOf, route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { conflict, existing } from '../../errors.ts';
import { paginationOf } from '../../http/paging.ts';
import { present } from '../../http/present.ts';

const tags = ['access'];

/** Invites a user and returns both; the token is in this answer only. `createdBy`: the user of the tenant who invites, null for an operator. */
export async function invited(
  transaction: TenantTransaction,
  invite: { readonly tenantId: TenantId; readonly userId: string; readonly createdBy: string | null },
) {
  const { token, expiresAt } = await createInvite(transaction, invite);
  const user = existing(await readUser(transaction, invite.userId), 'user');
  return { user: present(userSchema, user), invite: present(inviteSchema, { token, expiresAt }) };
}

/** `/admin/users`: the users of the tenant, and their invites. */
export function userRoutes(app: Api, { database }: ApiDependencies): void {
  app.get(
    '/admin/users',
    route('admin', {
      tags,
      summary: 'List users by name',
      querystring: userQuery,
      response: { 200: pageOfItems(userSchema) },
    }),
    async (request) => {
      const { page, limit, search, active } = request.query;
      const { rows, total } = await database.asTenant(principalOf(request).tenantId, (transaction) =>
        listUsers(transaction, { search, active, page, limit }),
      );
      return { data: rows.map((user) => present(userSchema, user)), pagination: paginationOf(page, limit, total) };
    },
  );

  app.post(
    '/admin/users',
    guardedRoute('admin', {
      tags,
      summary: 'Add a user and return an invite',
      description: 'The user has no password and no key. The invite creates keys, once, within seven days.',
      body: userBody,
      response: { 201: invitedAnswer },
    }),
    async (request, reply) => {
      const principal = principalOf(request);
      const { tenantId, userId: createdBy } = principal;
      const { username, email = null, role } = request.body;
      requireInviting(principal, role);
      const answer = await database.asTenant(tenantId, async (transaction) => {
        const userId = await createUser(transaction, { tenantId, username, email, role });
        if (userId === null) throw conflict('username', 'is taken');
        return invited(transaction, { tenantId, userId, createdBy });
      });
      return reply.status(201).send(answer);
    },
  );

  app.get(
    '/admin/users/:id',
    route('admin', { tags, summary: 'Get a user', params: userParams, response: { 200: userSchema } }),
    (request) =>
      database.asTenant(principalOf(request).tenantId, async (transaction) =>
        present(userSchema, await userOf(transaction, request.params.id)),
      ),
  );

  app.put(
    '/admin/users/:id',
    guardedRoute('admin', {
      tags,
      summary: 'Change the role, the email address or the state of a user',
      description:
        'The keys and the invite of an inactive user stop at once; keys that were not revoked work again after the activation. The data of the user remain: `POST /gdpr/erase` erases them.',
      params: userParams,
      body: userChange,
      response: { 200: userSchema },
    }),
    (request) => {
      const principal = principalOf(request);
      const { role, active, email } = request.body;
      return database.asTenant(principal.tenantId, async (transaction) => {
        const id = await leavingAnAdmin(transaction, active === false ? 'active' : 'role', async () => {
          const { id, role: before } = await userOf(transaction, request.params.id);
          if (role !== undefined) requireRaising(principal, before, role);
          await changeUser(transaction, id, { role, active, email });
          return id;
        });
        if (active === false) await endInvites(transaction, id);
        return present(userSchema, existing(await readUser(transaction, id), 'user'));
      });
    },
  );

  app.delete(
    '/admin/users/:id/mfa',
    guardedRoute('admin', {
      tags,
      summary: 'Remove the second factors of a user',
      description: 'For a user who lost them. All sessions of the user end.',
      params: userParams,
      response: { 200: removedFactors },
    }),
    (request) =>
      database.asTenant(principalOf(request).tenantId, async (transaction) => {
        const { id } = await userOf(transaction, request.params.id);
        const hadPasskeys = await leavingAnAdmin(transaction, 'id', () => removePasskeys(transaction, id));
        const removed = (await removeTotp(transaction, id)) || hadPasskeys;
        await endAllSessions(transaction, id);
        return { removed };
      }),
  );

  app.post(
    '/admin/users/:id/invite',
    guardedRoute('admin', {
      tags,
      summary: 'Invite a user again',
      description: 'Older invites of the user end; keys of the user remain.',
      params: userParams,
      response: { 201: invitedAnswer },
    }),
    async (request, reply) => {
      const principal = principalOf(request);
      const { tenantId, userId: createdBy } = principal;
      const answer = await database.asTenant(tenantId, async (transaction) => {
        await lockAccess(transaction);
        const user = await userOf(transaction, request.params.id);
        requireActive(user, 'id');
        requireInviting(principal, user.role);
        return invited(transaction, { tenantId, userId: user.id, createdBy });
      });
      return reply.status(201).send(answer);
    },
  );
}
