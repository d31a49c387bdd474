import { sessionIdOf } from '../../subjects.ts';
import { agentSchema, sessionDetail, sessionParams, sessionSchema } from '../../../contract/sessions.ts';
import { z } from 'zod';
import { findProject } from '../../../stores/postgres/projects/projects.ts';
import type { TenantTransaction } from '../../../stores/postgres/connection/database.ts';
import { readGaps } from '../../../stores/postgres/sessions/session-gaps.ts';
import { listSessions, readSessionDetail } from '../../../stores/postgres/sessions/sessions.ts';
import type { SessionDetail, StoredSession } from '../../../stores/postgres/sessions/sessions.ts';
import { principalOf, route, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { present } from '../../http/present.ts';
import { paginationOf } from '../../http/paging.ts';
import { pageOfItems, pageQuery } from '../../../contract/shared.ts';
import { text } from '../../../contract/text.ts';

type Gap = z.output<typeof sessionSchema>['gaps'][number];

/** Reads possible gaps as the API presents them: a local reader of transcripts fills those that no transcript filled yet. */
export async function gapsOf(
  transaction: TenantTransaction,
  sessionIds: readonly string[],
  { session, transcripts }: ApiDependencies['config'],
): Promise<(id: string) => Gap[]> {
  const found = await readGaps(transaction, sessionIds, session.idleMs);
  const later = transcripts.mode === 'off' ? 'missing' : 'expected';
  return (id) =>
    (found.get(id) ?? []).map(({ from, to, hasTranscript }) => ({
      from,
      to,
      transcript: hasTranscript ? 'read' : later,
    }));
}

function presentSession(row: StoredSession, gaps: Gap[]): z.output<typeof sessionSchema> {
  return present(sessionSchema, {
    ...row,
    gaps,
    status: sessionSchema.shape.status.parse(row.status),
    phase: sessionSchema.shape.phase.parse(row.phase),
    project:
      row.project === null
        ? null
        : { id: row.project.id, name: row.project.displayName, git_remote: row.project.gitRemote },
  });
}

export function presentDetail(
  { session, counts, pending, agents }: SessionDetail,
  gaps: Gap[],
): z.output<typeof sessionDetail> {
  return {
    ...presentSession(session, gaps),
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
export function sessionRoutes(app: Api, { database, config }: ApiDependencies): void {
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
      return database.asTenant(viewOf(principalOf(request)), async (transaction) => {
        const known = project === undefined ? undefined : await findProject(transaction, project);
        const { rows, total } =
          known === null
            ? { rows: [], total: 0 }
            : await listSessions(transaction, { status, search, projectId: known?.id }, page, limit);
        const ids = rows.map(({ id }) => id);
        const gaps = await gapsOf(transaction, ids, config);
        return {
          data: rows.map((row) => presentSession(row, gaps(row.id))),
          pagination: paginationOf(page, limit, total),
        };
      });
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
      return database.asTenant(viewOf(principal), async (transaction) => {
        const id = await sessionIdOf(transaction, principal, request.params.id);
        const gaps = await gapsOf(transaction, [id], config);
        return presentDetail(await readSessionDetail(transaction, id), gaps(id));
      });
    },
  );
}
