import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { TenantId } from '../../../domain/ids.ts';
import { VectorIndexUnavailable } from '../../../domain/ports/vector-index.ts';
import { findCapturedEvents, SEARCHED_SESSIONS } from '../../../stores/postgres/capture/captured-events.ts';
import { findSessionId } from '../../../stores/postgres/sessions/sessions.ts';
import { tombstonesOf, traceEvent } from '../../../stores/postgres/sessions/trace.ts';
import type { EventTrace } from '../../../stores/postgres/sessions/trace.ts';
import type { DescribedJob } from '../../../stores/temporal/jobs.ts';
import { TemporalUnavailable } from '../../../stores/temporal/unavailable.ts';
import { principalOf, seekerOf, viewerOf } from '../../auth.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { presentTrace, traceSchema } from '../../../contract/trace.ts';
import { ERROR_RESPONSES } from '../../../contract/shared.ts';
import { text } from '../../../contract/text.ts';

export const eventKey = text(512).describe('A key as stored, a tool use id, a delivery id, or the id of a row');
export const sessionName = text(512).optional().describe('Own id, or host:external id');

const traceAnswer = z.object({
  data: z.array(traceSchema),
  forgotten: z
    .array(z.object({ host: z.string(), external_id: z.string(), forgotten_at: z.string() }))
    .describe('Sessions in which an event of this key was forgotten: your own, to admins all'),
  searched_sessions: z
    .number()
    .int()
    .nullable()
    .describe('How many of the newest sessions were looked through; null: one'),
  degraded: z.array(z.enum(['temporal', 'vector'])),
});

/** `GET /trace`: one event from its capture to its vectors, for its owner and admins. */
export function traceRoutes({ database, vectors, jobs }: ApiDependencies): FastifyPluginCallbackZod {
  /** The objects of a trace that Weaviate has; null where it is away. */
  const currentOf = async (tenantId: TenantId, trace: EventTrace): Promise<ReadonlySet<string> | null> => {
    const models = new Set(trace.embeddings.map((chunk) => chunk.model));
    const standing = new Set<string>();
    try {
      for (const model of models) {
        const ids = trace.embeddings.filter((chunk) => chunk.model === model).map((chunk) => chunk.objectId);
        for (const id of await vectors.standing(tenantId, model, ids)) standing.add(id);
      }
      return standing;
    } catch (error) {
      if (error instanceof VectorIndexUnavailable) return null;
      throw error;
    }
  };

  /** Undefined where Temporal is away. */
  const workflowOf = async (tenantId: TenantId, sessionId: string): Promise<DescribedJob | null | undefined> => {
    try {
      return await jobs.describe(tenantId, { kind: 'session', subject: sessionId });
    } catch (error) {
      if (error instanceof TemporalUnavailable) return undefined;
      throw error;
    }
  };

  return (app, _options, done) => {
    app.get(
      '/trace',
      {
        config: { access: 'read' },
        schema: {
          tags: ['jobs'],
          summary: 'Follow one event from its capture to its vectors',
          description:
            'Nothing of what the event says is told. A key may stand in several sessions: each is answered, ten at most.',
          querystring: z.strictObject({ key: eventKey, session: sessionName }),
          response: { 200: traceAnswer, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const holder = principalOf(request);
        const { key, session } = request.query;
        const found = await database.asTenant(holder.tenantId, async (transaction) => {
          const sessionId = session === undefined ? null : await findSessionId(transaction, session, seekerOf(holder));
          const events =
            session !== undefined && sessionId === null
              ? []
              : await findCapturedEvents(transaction, { given: key, sessionId, viewerId: viewerOf(holder) });
          const traces = [];
          for (const event of events) {
            const trace = await traceEvent(transaction, event);
            if (trace !== null) traces.push({ event, trace });
          }
          return { traces, forgotten: await tombstonesOf(transaction, key, viewerOf(holder)) };
        });
        const degraded = new Set<'temporal' | 'vector'>();
        const data = [];
        for (const { event, trace } of found.traces) {
          const [standing, workflow] = await Promise.all([
            currentOf(holder.tenantId, trace),
            degraded.has('temporal') ? undefined : workflowOf(holder.tenantId, event.sessionId),
          ]);
          if (standing === null) degraded.add('vector');
          if (workflow === undefined) degraded.add('temporal');
          data.push(presentTrace(event, trace, standing, workflow ?? null));
        }
        return {
          data,
          forgotten: found.forgotten.map((row) => ({
            host: row.host,
            external_id: row.externalId,
            forgotten_at: row.forgottenAt.toISOString(),
          })),
          searched_sessions: session === undefined ? SEARCHED_SESSIONS : null,
          degraded: [...degraded],
        };
      },
    );
    done();
  };
}
