import { z } from 'zod';
import { listObservations, listPrompts } from '../../../stores/postgres/sessions/session-timeline.ts';
import { principalOf, viewerOf, route, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { present } from '../../http/present.ts';
import {
  observationSchema,
  promptSchema,
  redactionsSchema,
  rowsQuery,
  sessionParams,
} from '../../../contract/sessions.ts';
import type { rowAgent } from '../../../contract/sessions.ts';
import { paginationOf } from '../../http/paging.ts';
import { sessionIdOf } from '../../subjects.ts';
import { pageOfItems } from '../../../contract/shared.ts';
import { flag } from '../../../contract/query.ts';
import type { TimelineObservation, TimelinePrompt } from '../../../stores/postgres/sessions/session-timeline.ts';

function agentOf(row: {
  readonly agentId: string | null;
  readonly agentType: string | null;
}): z.output<typeof rowAgent> {
  return row.agentId === null ? null : { id: row.agentId, type: row.agentType };
}

export function presentPrompt(row: TimelinePrompt): z.output<typeof promptSchema> {
  return present(promptSchema, {
    ...row,
    role: promptSchema.shape.role.parse(row.type),
    agent: agentOf(row),
    redactions: redactionsSchema.parse(row.redactions),
  });
}

export function presentObservation(row: TimelineObservation): z.output<typeof observationSchema> {
  return present(observationSchema, {
    ...row,
    type: observationSchema.shape.type.parse(row.type),
    agent: agentOf(row),
    redactions: redactionsSchema.parse(row.redactions),
  });
}

/** `GET /sessions/:id/prompts` and `/observations`: what was captured of a session, for its owner and admins. */
export function sessionRowRoutes(app: Api, { database }: ApiDependencies): void {
  app.get(
    '/sessions/:id/prompts',
    route('read', {
      tags: ['sessions'],
      summary: 'List the messages of a session, in order',
      params: sessionParams,
      querystring: z.strictObject(rowsQuery),
      response: { 200: pageOfItems(promptSchema) },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { page, limit, agent } = request.query;
      const { rows, total } = await database.asTenant(viewOf(principal), async (transaction) =>
        listPrompts(transaction, {
          sessionId: await sessionIdOf(transaction, principal, request.params.id),
          viewerId: viewerOf(principal),
          agentId: agent,
          page,
          limit,
        }),
      );
      return { data: rows.map(presentPrompt), pagination: paginationOf(page, limit, total) };
    },
  );
  app.get(
    '/sessions/:id/observations',
    route('read', {
      tags: ['sessions'],
      summary: 'List the captured events of a session, in order',
      params: sessionParams,
      querystring: z.strictObject({ ...rowsQuery, full: flag().prefault(false) }),
      response: { 200: pageOfItems(observationSchema) },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { page, limit, agent, full } = request.query;
      const { rows, total } = await database.asTenant(viewOf(principal), async (transaction) =>
        listObservations(transaction, {
          sessionId: await sessionIdOf(transaction, principal, request.params.id),
          viewerId: viewerOf(principal),
          agentId: agent,
          page,
          limit,
          full,
        }),
      );
      return { data: rows.map(presentObservation), pagination: paginationOf(page, limit, total) };
    },
  );
}
