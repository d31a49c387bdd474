import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { TenantId } from '../../domain/ids.ts';
import { wholeValueKey } from '../../domain/ports/object-store.ts';
import { findCapturedEvents } from '../../stores/postgres/captured-events.ts';
import type { TenantTransaction } from '../../stores/postgres/database.ts';
import { forgetEvent, forgetSession } from '../../stores/postgres/forget.ts';
import type { Forgotten } from '../../stores/postgres/forget.ts';
import { wholeValuesOf } from '../../stores/postgres/whole-values.ts';
import { findSessionId } from '../../stores/postgres/sessions.ts';
import { holderOf, viewerOf } from '../auth.ts';
import type { ApiDependencies } from '../dependencies.ts';
import { ApiError } from '../errors.ts';
import { ERROR_RESPONSES } from '../schemas/shared.ts';
import { refuseViewers } from '../writers.ts';
import { sessionParams } from './sessions.ts';
import { eventKey, sessionName } from './trace.ts';

const forgottenSchema = z
  .object({
    dry_run: z.boolean(),
    session_id: z.string(),
    key: z.string().nullable().describe('Null: the whole session'),
    forgotten: z.object({
      prompts: z.number().int(),
      observations: z.number().int(),
      boundaries: z.number().int(),
      summaries: z.number().int(),
      windows: z.number().int().describe('To be summarised anew from the rows that are left'),
      evidence: z.number().int(),
      learnings: z.number().int().describe('Closed, because no evidence is left'),
      vectors: z.number().int().describe('Leave the vector index within seconds'),
    }),
  })
  .meta({ id: 'Forgotten' });

const dryRun = z.stringbool().default(false).describe('Only count what would go');

/** Ends a transaction that was only tried, with what it would have done. */
class Tried extends Error {
  override readonly name = 'Tried';
}

/** `DELETE /captures/:key` and `DELETE /sessions/:id`: forgetting, so that no spool, transcript or restore brings it back. */
export function forgetRoutes({ database, objects, workflowHints }: ApiDependencies): FastifyPluginCallbackZod {
  /** Does it in one transaction, or tries it and undoes it: so a dry run counts exactly. */
  const perform = async <Result>(
    tenantId: TenantId,
    isDryRun: boolean,
    work: (transaction: TenantTransaction) => Promise<Result>,
  ): Promise<Result> => {
    let tried: { readonly result: Result } | null = null;
    try {
      return await database.asTenant(tenantId, async (transaction) => {
        const result = await work(transaction);
        if (!isDryRun) return result;
        tried = { result };
        throw new Tried('undone');
      });
    } catch (error) {
      // Assigned inside the transaction, which the compiler does not follow.
      const done = tried as { readonly result: Result } | null;
      if (error instanceof Tried && done !== null) return done.result;
      throw error;
    }
  };

  const wholesOf = (transaction: TenantTransaction, sessionId: string, seqs: readonly number[] | null) =>
    objects === null ? Promise.resolve([]) : wholeValuesOf(transaction, sessionId, seqs);

  /** After the commit: a row that stands must find what its note names. Another row that was cut from the same text loses it, too. */
  const dropWholes = async (tenantId: TenantId, wholes: readonly string[]): Promise<void> => {
    for (const sha256 of wholes) await objects?.delete(wholeValueKey(tenantId, sha256));
  };

  return (app, _options, done) => {
    app.delete(
      '/captures/:key',
      {
        config: { access: 'write' },
        schema: {
          tags: ['capture'],
          summary: 'Forget one event',
          description:
            'Its rows, its vectors and what quotes it go; its windows are summarised anew. Sending it again is answered EVENT_FORGOTTEN.',
          params: z.object({ key: eventKey }),
          querystring: z.strictObject({ session: sessionName, dry_run: dryRun }),
          response: { 200: forgottenSchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const holder = refuseViewers(holderOf(request));
        const { session, dry_run: isDryRun } = request.query;
        const result = await perform(holder.tenantId, isDryRun, async (transaction) => {
          const sessionId = session === undefined ? null : await findSessionId(transaction, session);
          if (session !== undefined && sessionId === null) throw new ApiError('NOT_FOUND', 'there is no such session');
          const events = await findCapturedEvents(transaction, {
            given: request.params.key,
            sessionId,
            viewerId: viewerOf(holder),
          });
          const [event] = events;
          if (event === undefined) throw new ApiError('NOT_FOUND', 'there is no such event');
          if (events.length > 1) {
            const message = 'several events are called so; name the session, or the id of a row';
            throw new ApiError('CONFLICT', message, [{ field: 'session', message }]);
          }
          const seqs = event.rows.map((row) => row.seq);
          const wholes = await wholesOf(transaction, event.sessionId, seqs);
          const forgotten: Forgotten | null = await forgetEvent(transaction, event);
          if (forgotten === null) throw new ApiError('NOT_FOUND', 'there is no such event');
          return { event, forgotten, wholes };
        });
        if (!isDryRun) {
          await dropWholes(holder.tenantId, result.wholes);
          // The sweep repeats what is not heard.
          await Promise.allSettled([
            workflowHints.session(holder.tenantId, result.event.sessionId),
            workflowHints.index(holder.tenantId),
          ]);
        }
        return {
          dry_run: isDryRun,
          session_id: result.event.sessionId,
          key: result.event.key,
          forgotten: result.forgotten,
        };
      },
    );

    app.delete(
      '/sessions/:id',
      {
        config: { access: 'admin' },
        schema: {
          tags: ['sessions'],
          summary: 'Forget a session',
          description: 'It is hidden at once, what it said is deleted, and nothing of it is captured again.',
          params: sessionParams,
          querystring: z.strictObject({ dry_run: dryRun }),
          response: { 200: forgottenSchema, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const { tenantId } = refuseViewers(holderOf(request));
        const { dry_run: isDryRun } = request.query;
        const result = await perform(tenantId, isDryRun, async (transaction) => {
          const sessionId = await findSessionId(transaction, request.params.id);
          if (sessionId === null) throw new ApiError('NOT_FOUND', 'there is no such session');
          const wholes = await wholesOf(transaction, sessionId, null);
          return { sessionId, wholes, forgotten: await forgetSession(transaction, sessionId) };
        });
        if (!isDryRun) {
          await dropWholes(tenantId, result.wholes);
          // Its workflow sees that it is gone and ends; the sweep repeats what is not heard.
          await Promise.allSettled([workflowHints.session(tenantId, result.sessionId), workflowHints.index(tenantId)]);
        }
        return { dry_run: isDryRun, session_id: result.sessionId, key: null, forgotten: result.forgotten };
      },
    );
    done();
  };
}
