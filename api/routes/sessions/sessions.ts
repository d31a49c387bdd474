import { filterIds, sessionIdOf } from '../../subjects.ts';
import {
  agentSchema,
  sessionDetail,
  sessionParams,
  sessionsAnswer,
  sessionSchema,
  sessionsQuery,
} from '../../../contract/sessions.ts';
import { SESSION_PHASES } from '../../../domain/jobs.ts';
import { SESSION_STATUSES } from '../../../domain/session-states.ts';
import { readSessionWork } from '../../../stores/postgres/sessions/session-work.ts';
import { stuckBounds, stuckOf } from '../../job-list.ts';
import { z } from 'zod';
import type { TenantTransaction } from '../../../stores/postgres/connection/database.ts';
import { noRows } from '../../../stores/postgres/connection/rows.ts';
import { readGaps } from '../../../stores/postgres/sessions/session-gaps.ts';
import { countSessions, listSessions, readSessionDetail } from '../../../stores/postgres/sessions/sessions.ts';
import type { SessionDetail, SessionGroup, StoredSession } from '../../../stores/postgres/sessions/sessions.ts';
import { principalOf, route, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { numbersOf, present } from '../../http/present.ts';
import { cursorOf, pageOf, placeOf } from '../../http/paging.ts';

/** Parts of a session that its row does not have. */
type RowDetails = Pick<z.output<typeof sessionSchema>, 'gaps' | 'stuck'>;

/**
 * Reads possible gaps as the API presents them, and why sessions are stuck: a local reader of transcripts fills those that no transcript filled yet. The reason is
 * that of the database: the state of workflows is not read, and work is counted of stuck sessions only.
 */
export async function rowDetails(
  transaction: TenantTransaction,
  ids: readonly string[],
  config: ApiDependencies['config'],
): Promise<(id: string) => RowDetails> {
  if (ids.length === 0) return () => ({ gaps: [], stuck: null });
  const gaps = await readGaps(transaction, ids, config.session.idleMs);
  const later = config.transcripts.mode === 'off' ? 'missing' : 'expected';
  const work = await readSessionWork(transaction, {
    ...stuckBounds(config),
    ids,
    projectId: null,
    only: 'stuck',
    before: null,
    limit: ids.length,
  });
  const stuck = new Map(work.map((each) => [each.id, stuckOf(null, each, Date.now())]));
  return (id) => ({
    stuck: stuck.get(id) ?? null,
    gaps: (gaps.get(id) ?? []).map(({ from, to, hasTranscript }) => ({
      from,
      to,
      transcript: hasTranscript ? 'read' : later,
    })),
  });
}

/** Returns how many sessions have each status, and each phase. */
function countsOf(groups: readonly SessionGroup[]): z.output<typeof sessionsAnswer>['counts'] {
  const sum = (key: 'status' | 'phase') => (name: string) =>
    groups.filter((group) => group[key] === name).reduce((total, { count }) => total + count, 0);
  return { status: numbersOf(SESSION_STATUSES, sum('status')), phase: numbersOf(SESSION_PHASES, sum('phase')) };
}

const placeSchema = z.strictObject({ id: z.uuid() });

function presentSession(row: StoredSession, details: RowDetails): z.output<typeof sessionSchema> {
  return present(sessionSchema, {
    ...row,
    ...details,
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
  details: RowDetails,
): z.output<typeof sessionDetail> {
  return {
    ...presentSession(session, details),
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
      querystring: sessionsQuery,
      response: { 200: sessionsAnswer },
    }),
    async (request) => {
      const { page, limit, cursor, status, phase, project, search, sort, count } = request.query;
      const list = `sessions.${sort}`;
      const after = placeOf(cursor, list, placeSchema);
      const principal = principalOf(request);
      return database.asTenant(viewOf(principal), async (transaction) => {
        const ids = await filterIds(transaction, principal, { project });
        const filter = ids === null ? null : { status, phase, search, projectId: ids.projectId };
        const found =
          filter === null ? noRows(after) : await listSessions(transaction, filter, sort, { after, page, limit });
        const counted =
          after !== null || !count
            ? null
            : filter === null
              ? { total: 0, groups: [] }
              : await countSessions(transaction, filter);
        const details = await rowDetails(
          transaction,
          found.rows.map(({ id }) => id),
          config,
        );
        const next = found.next === null ? null : cursorOf(list, found.next);
        return {
          data: found.rows.map((row) => presentSession(row, details(row.id))),
          counts: counted === null ? null : countsOf(counted.groups),
          // A page by number has a predecessor, whether or not the sessions were counted.
          pagination: { ...pageOf(page, limit, counted?.total ?? null, next), has_prev: after !== null || page > 1 },
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
        const details = await rowDetails(transaction, [id], config);
        return presentDetail(await readSessionDetail(transaction, id), details(id));
      });
    },
  );
}
