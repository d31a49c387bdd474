import { endedSessions, tokenAnswer, userSession, userSessionList } from '../../../contract/login.ts';
import { ERROR_RESPONSES, idParams } from '../../../contract/shared.ts';
import { endUserSessions, listUserSessions } from '../../../stores/postgres/access/user-sessions.ts';
import { principalOf, route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { noSuch } from '../../errors.ts';
import { present } from '../../http/present.ts';
import { clearRefreshCookie, readRefreshCookie } from '../../login/refresh-cookie.ts';
import { endByRefreshToken, refreshUserSession } from '../../login/user-sessions.ts';

const tags = ['access'];

/** `/auth/refresh`, `/auth/logout` and `/auth/sessions`: the sessions of the caller. */
export function userSessionRoutes(app: Api, dependencies: ApiDependencies): void {
  const { config, database } = dependencies;

  app.post(
    '/auth/refresh',
    route('open', {
      tags,
      summary: 'Replace the refresh token and return an access token',
      description:
        'Reads the cookie of a log-in, of requests of its own origin only. A refresh token works once; a second use ends its session, unless the answer was lost within the last ten seconds.',
      response: { 200: tokenAnswer, ...ERROR_RESPONSES },
    }),
    (request, reply) => refreshUserSession(dependencies, request, reply),
  );

  app.post(
    '/auth/logout',
    route('open', {
      tags,
      summary: 'End the session of the cookie',
      description: 'Reads the cookie of a log-in, of requests of its own origin only.',
      response: { 200: endedSessions, ...ERROR_RESPONSES },
    }),
    async (request, reply) => {
      const token = readRefreshCookie(request, config.http.publicUrl);
      clearRefreshCookie(reply);
      return { ended: token === null ? 0 : await endByRefreshToken(dependencies, token, request) };
    },
  );

  app.get(
    '/auth/sessions',
    route('account', { tags, summary: 'List own sessions, newest first', response: { 200: userSessionList } }),
    async (request) => {
      const { login, tenantId, userId } = principalOf(request);
      const rows = await database.asTenant(tenantId, (transaction) =>
        listUserSessions(transaction, userId, config.login.idleMs),
      );
      return { data: rows.map((row) => present(userSession, { ...row, isCurrent: row.id === login?.sessionId })) };
    },
  );

  app.delete(
    '/auth/sessions/:id',
    route('account', { tags, summary: 'End an own session', params: idParams, response: { 200: endedSessions } }),
    async (request) => {
      const { tenantId, userId } = principalOf(request);
      const { id } = request.params;
      const ended = await database.asTenant(tenantId, (transaction) =>
        endUserSessions(transaction, userId, { id }, 'ended'),
      );
      if (ended === 0) throw noSuch('session', 'id');
      return { ended };
    },
  );

  app.delete(
    '/auth/sessions',
    route('account', { tags, summary: 'End all other own sessions', response: { 200: endedSessions } }),
    async (request) => {
      const { login, tenantId, userId } = principalOf(request);
      const exceptId = login?.sessionId ?? null;
      const ended = await database.asTenant(tenantId, (transaction) =>
        endUserSessions(transaction, userId, { exceptId }, 'ended'),
      );
      return { ended };
    },
  );
}
