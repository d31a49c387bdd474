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
  windowSchema,
  windowsQuery,
} from '../../../contract/sessions.ts';
import type { rowAgent, RowsQuery } from '../../../contract/sessions.ts';
import { cursorOf, pageBetween, pageOf, placeOf } from '../../http/paging.ts';
import { sessionIdOf } from '../../subjects.ts';
import { cursorPageOf } from '../../../contract/shared.ts';
import { flag } from '../../../contract/query.ts';
import { listWindows } from '../../../stores/postgres/sessions/windows.ts';
import type { SeqPage, SeqStart } from '../../../stores/postgres/sessions/seq-pages.ts';
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

const windowPlace = z.strictObject({ n: z.int32() });
const seqShape = z.strictObject({ side: z.enum(['after', 'before']), seq: z.int32() });

/** Returns where a page starts: at the cursor, else around a position, else by its number. @throws ApiError VALIDATION_FAILED */
function startOf(list: string, query: Pick<RowsQuery, 'page' | 'cursor' | 'around'>): SeqStart {
  const { page, cursor, around } = query;
  return (
    placeOf(cursor, list, seqShape) ?? (around === undefined ? { side: 'page', page } : { side: 'around', seq: around })
  );
}

function paginationBySeq(list: string, { page, limit }: RowsQuery, found: SeqPage<unknown>) {
  const cursor = (side: 'after' | 'before') => {
    const seq = found[side];
    return seq === null ? null : cursorOf(list, { side, seq });
  };
  return pageBetween(page, limit, found.total, { previous: cursor('before'), next: cursor('after') });
}

/** `GET /sessions/:id/prompts`, `/observations` and `/windows`: what was captured of a session, for its owner and admins, and its windows. */
export function sessionRowRoutes(app: Api, { database }: ApiDependencies): void {
  app.get(
    '/sessions/:id/prompts',
    route('read', {
      tags: ['sessions'],
      summary: 'List the messages of a session, in order',
      params: sessionParams,
      querystring: z.strictObject(rowsQuery),
      response: { 200: cursorPageOf(promptSchema) },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { limit, agent } = request.query;
      const start = startOf('prompts', request.query);
      const found = await database.asTenant(viewOf(principal), async (transaction) =>
        listPrompts(transaction, {
          sessionId: await sessionIdOf(transaction, principal, request.params.id),
          viewerId: viewerOf(principal),
          agentId: agent,
          start,
          limit,
        }),
      );
      return {
        data: found.rows.map(presentPrompt),
        pagination: paginationBySeq('prompts', request.query, found),
      };
    },
  );
  app.get(
    '/sessions/:id/observations',
    route('read', {
      tags: ['sessions'],
      summary: 'List the captured events of a session, in order',
      params: sessionParams,
      querystring: z.strictObject({ ...rowsQuery, full: flag().prefault(false) }),
      response: { 200: cursorPageOf(observationSchema) },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { limit, agent, full } = request.query;
      const start = startOf('observations', request.query);
      const found = await database.asTenant(viewOf(principal), async (transaction) =>
        listObservations(transaction, {
          sessionId: await sessionIdOf(transaction, principal, request.params.id),
          viewerId: viewerOf(principal),
          agentId: agent,
          start,
          limit,
          full,
        }),
      );
      return {
        data: found.rows.map(presentObservation),
        pagination: paginationBySeq('observations', request.query, found),
      };
    },
  );
  app.get(
    '/sessions/:id/windows',
    route('read', {
      tags: ['sessions'],
      summary: 'List the windows of a session, in order',
      description: 'A window is the part of a session that one model request summarises. Returns no captured text.',
      params: sessionParams,
      querystring: windowsQuery,
      response: { 200: cursorPageOf(windowSchema) },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { page, limit, cursor, state } = request.query;
      const after = placeOf(cursor, 'windows', windowPlace);
      const found = await database.asTenant(viewOf(principal), async (transaction) => {
        const sessionId = await sessionIdOf(transaction, principal, request.params.id);
        return listWindows(transaction, { sessionId, state }, { after, page, limit });
      });
      const next = found.next === null ? null : cursorOf('windows', found.next);
      return {
        data: found.rows.map((row) => present(windowSchema, row)),
        pagination: pageOf(page, limit, found.total, next),
      };
    },
  );
}
