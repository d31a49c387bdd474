import { z } from 'zod';
import type { Principal } from '../../../stores/postgres/access/principal.ts';
import type { TenantTransaction } from '../../../stores/postgres/connection/database.ts';
import { readSummary } from '../../../stores/postgres/summaries/derived.ts';
import { findOwnedSession, readSessionDetail, steerSession } from '../../../stores/postgres/sessions/sessions.ts';
import { TemporalUnavailable } from '../../../stores/temporal/unavailable.ts';
import { mayActFor, principalOf, seekerOf, viewerOf, route, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { ApiError, existing } from '../../errors.ts';
import { presentSummary } from './summaries.ts';
import { actionAnswer, sessionDetail, sessionParams, waitQuery } from '../../../contract/sessions.ts';
import { presentDetail, rowDetails } from './sessions.ts';
import { line } from '../../../contract/text.ts';

/** Requests to a session's workflow, and their routes. */
const ORDERS = [
  { what: 'summary', route: 'summaries', summary: 'Summarise a session now, without closing it' },
  {
    what: 'close',
    route: 'close',
    summary: 'Close a session: summarise, learn and index',
    description: 'A later event reopens the session.',
  },
] as const;

/** A session that the principal may steer: his own, or any for an admin. @throws ApiError NOT_FOUND, FORBIDDEN */
async function ownSession(transaction: TenantTransaction, principal: Principal, given: string): Promise<string> {
  const found = existing(await findOwnedSession(transaction, given, seekerOf(principal)), 'session');
  if (!mayActFor(principal, found.userId))
    throw new ApiError('FORBIDDEN', 'only the owner of a session or an admin may control it');
  return found.id;
}

/** `PUT /sessions/:id`, `POST /sessions/:id/summaries` and `/close`: what people may have a session do. */
export function sessionSteeringRoutes(app: Api, { database, steering, jobList, config }: ApiDependencies): void {
  const ask = async (principal: Principal, given: string, what: 'summary' | 'close', waitSeconds: number) => {
    const { tenantId } = principal;
    const id = await database.asTenant(viewOf(principal), (transaction) => ownSession(transaction, principal, given));
    const result = await steering.request(tenantId, id, what, waitSeconds * 1_000);
    const found = existing(await jobList.one(tenantId, { kind: 'session', subject: id }), 'session');
    const summaryId = result?.summaryId ?? null;
    const written =
      summaryId === null
        ? null
        : await database.asTenant(viewOf(principal), (transaction) => readSummary(transaction, summaryId));
    return {
      done: result !== null,
      summary_id: summaryId,
      summary: written === null ? null : presentSummary(written, viewerOf(principal)),
      settled: result?.settled ?? false,
      last_error: result?.lastError ?? null,
      job: found.job,
    };
  };

  app.put(
    '/sessions/:id',
    route('write', {
      tags: ['sessions'],
      summary: 'Change the title or the capture of a session',
      description:
        'With `capture` false, later events of the session are not stored, from the response on. A title set here is not replaced by a summary.',
      params: sessionParams,
      body: z.strictObject({
        title: line(200).optional(),
        capture: z.boolean().optional(),
      }),
      response: { 200: sessionDetail },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { title, capture } = request.body;
      const detail = await database.asTenant(viewOf(principal), async (transaction) => {
        const id = await ownSession(transaction, principal, request.params.id);
        await steerSession(transaction, id, { title, capture });
        return {
          stored: await readSessionDetail(transaction, id),
          details: (await rowDetails(transaction, [id], config))(id),
        };
      });
      if (capture !== undefined && detail.stored.session.status === 'active') {
        await steering.notifyCapture(principal.tenantId, detail.stored.session.id, capture).catch((error: unknown) => {
          // The database decides what is captured, and it has the change.
          if (!(error instanceof TemporalUnavailable)) throw error;
          request.log.warn('a workflow was not notified of its capture change');
        });
      }
      return presentDetail(detail.stored, detail.details);
    },
  );

  for (const { what, route, ...words } of ORDERS) {
    app.post(
      `/sessions/:id/${route}`,
      {
        config: { access: 'write' },
        schema: {
          tags: ['sessions'],
          ...words,
          params: sessionParams,
          querystring: waitQuery,
          response: { 200: actionAnswer, 202: actionAnswer },
        },
      },
      async (request, reply) => {
        const answer = await ask(principalOf(request), request.params.id, what, request.query.wait);
        return reply.status(answer.done ? 200 : 202).send(answer);
      },
    );
  }
}
