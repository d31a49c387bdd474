import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import { findProject } from '../../../stores/postgres/projects/projects.ts';
import { findSessionId, listSessions, readSessionDetail } from '../../../stores/postgres/sessions/sessions.ts';
import type { SessionDetail, StoredSession } from '../../../stores/postgres/sessions/sessions.ts';
import { principalOf, seekerOf } from '../../auth.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { ApiError } from '../../errors.ts';
import { paginationOf } from '../../http/paging.ts';
import { ERROR_RESPONSES, pageOfItems, pageQuery } from '../../../contract/shared.ts';
import { text } from '../../../contract/text.ts';
import { sessionDetail, sessionParams, sessionSchema } from '../../../contract/sessions.ts';

function present(row: StoredSession): z.output<typeof sessionSchema> {
  return {
    id: row.id,
    host: row.host,
    external_id: row.externalId,
    namespace: row.namespace,
    title: row.title,
    status: sessionSchema.shape.status.parse(row.status),
    phase: sessionSchema.shape.phase.parse(row.phase),
    waiting_reason: row.waitingReason,
    last_error: row.lastError,
    project:
      row.project === null
        ? null
        : { id: row.project.id, name: row.project.displayName, git_remote: row.project.gitRemote },
    capture: row.capture,
    model: row.model,
    workflow_id: row.workflowId,
    started_at: row.startedAt.toISOString(),
    last_event_at: row.lastEventAt.toISOString(),
    ended_at: row.endedAt?.toISOString() ?? null,
  };
}

export function presentDetail({ session, counts, pending, agents }: SessionDetail): z.output<typeof sessionDetail> {
  return {
    ...present(session),
    counts: {
      prompts: session.promptCount,
      observations: session.observationCount,
      tokens: session.tokenCount,
      summaries: counts.summaries,
      learnings: counts.learnings,
      windows_parked: counts.windowsParked,
      vectors_failed: counts.vectorsFailed,
    },
    pending,
    agents: agents.map((agent) => ({
      id: agent.id,
      type: agent.type,
      started_at: agent.startedAt?.toISOString() ?? null,
      stopped_at: agent.stoppedAt?.toISOString() ?? null,
      prompts: agent.prompts,
      observations: agent.observations,
    })),
  };
}

/** Sessions: the list, and one with its state. */
export function sessionRoutes({ database }: ApiDependencies): FastifyPluginCallbackZod {
  return (app, _options, done) => {
    app.get(
      '/sessions',
      {
        config: { access: 'read' },
        schema: {
          tags: ['sessions'],
          summary: 'List sessions, newest first',
          querystring: z.strictObject({
            ...pageQuery,
            status: z.enum(['active', 'ended', 'archived']).optional(),
            project: text(2048).optional(),
            search: text(200).optional(),
          }),
          response: {
            200: pageOfItems(sessionSchema),
            ...ERROR_RESPONSES,
          },
        },
      },
      async (request) => {
        const { page, limit, status, project, search } = request.query;
        const { rows, total } = await database.asTenant(principalOf(request).tenantId, async (transaction) => {
          const known = project === undefined ? undefined : await findProject(transaction, project);
          return known === null
            ? { rows: [], total: 0 }
            : listSessions(transaction, { status, search, projectId: known?.id }, page, limit);
        });
        return { data: rows.map(present), pagination: paginationOf(page, limit, total) };
      },
    );
    app.get(
      '/sessions/:id',
      {
        config: { access: 'read' },
        schema: {
          tags: ['sessions'],
          summary: 'Get a session and its state',
          params: sessionParams,
          response: { 200: sessionDetail, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const principal = principalOf(request);
        return database.asTenant(principal.tenantId, async (transaction) => {
          const id = await findSessionId(transaction, request.params.id, seekerOf(principal));
          if (id === null) throw new ApiError('NOT_FOUND', 'there is no such session');
          return presentDetail(await readSessionDetail(transaction, id));
        });
      },
    );
    done();
  };
}
