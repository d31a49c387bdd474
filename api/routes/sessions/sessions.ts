import { sessionIdOf } from '../../subjects.ts';
import { agentSchema, sessionDetail, sessionParams, sessionSchema } from '../../../contract/sessions.ts';
import { z } from 'zod';
import { findProject } from '../../../stores/postgres/projects/projects.ts';
import { listSessions, readSessionDetail } from '../../../stores/postgres/sessions/sessions.ts';
import type { SessionDetail, StoredSession } from '../../../stores/postgres/sessions/sessions.ts';
import { principalOf, route } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { present } from '../../http/present.ts';
import { paginationOf } from '../../http/paging.ts';
import { pageOfItems, pageQuery } from '../../../contract/shared.ts';
import { text } from '../../../contract/text.ts';

function presentSession(row: StoredSession): z.output<typeof sessionSchema> {
  return present(sessionSchema, {
    ...row,
    status: sessionSchema.shape.status.parse(row.status),
    phase: sessionSchema.shape.phase.parse(row.phase),
    project:
      row.project === null
        ? null
        : { id: row.project.id, name: row.project.displayName, git_remote: row.project.gitRemote },
  });
}

export function presentDetail({ session, counts, pending, agents }: SessionDetail): z.output<typeof sessionDetail> {
  return {
    ...presentSession(session),
    counts: present(sessionDetail.shape.counts, {
      ...counts,
      prompts: session.promptCount,
      observations: session.observationCount,
      tokens: session.tokenCount,
    }),
    pending,
    agents: agents.map((agent) => present(agentSchema, agent)),
  };
}

/** Sessions: the list, and one with its state. */
export function sessionRoutes(app: Api, { database }: ApiDependencies): void {
  app.get(
    '/sessions',
    route('read', {
      tags: ['sessions'],
      summary: 'List sessions, newest first',
      querystring: z.strictObject({
        ...pageQuery,
        status: z.enum(['active', 'ended', 'archived']).optional(),
        project: text(2048).optional(),
        search: text(200).optional(),
      }),
      response: { 200: pageOfItems(sessionSchema) },
    }),
    async (request) => {
      const { page, limit, status, project, search } = request.query;
      const { rows, total } = await database.asTenant(principalOf(request).tenantId, async (transaction) => {
        const known = project === undefined ? undefined : await findProject(transaction, project);
        return known === null
          ? { rows: [], total: 0 }
          : listSessions(transaction, { status, search, projectId: known?.id }, page, limit);
      });
      return { data: rows.map(presentSession), pagination: paginationOf(page, limit, total) };
    },
  );
  app.get(
    '/sessions/:id',
    route('read', {
      tags: ['sessions'],
      summary: 'Get a session and its state',
      params: sessionParams,
      response: { 200: sessionDetail },
    }),
    async (request) => {
      const principal = principalOf(request);
      return database.asTenant(principal.tenantId, async (transaction) => {
        const id = await sessionIdOf(transaction, principal, request.params.id);
        return presentDetail(await readSessionDetail(transaction, id));
      });
    },
  );
}
