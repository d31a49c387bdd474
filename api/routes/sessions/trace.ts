import type { FastifyPluginCallbackZod } from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { TenantId } from '../../../domain/ids.ts';
import { VectorIndexUnavailable } from '../../../domain/ports/vector-index.ts';
import { findCapturedEvents, SEARCHED_SESSIONS } from '../../../stores/postgres/capture/captured-events.ts';
import { findSessionId } from '../../../stores/postgres/sessions/sessions.ts';
import { tombstonesOf, traceEvent } from '../../../stores/postgres/sessions/trace.ts';
import type { EventTrace, TracedText } from '../../../stores/postgres/sessions/trace.ts';
import type { DescribedJob } from '../../../stores/temporal/jobs.ts';
import { TemporalUnavailable } from '../../../stores/temporal/unavailable.ts';
import { principalOf, seekerOf, viewerOf } from '../../auth.ts';
import type { ApiDependencies } from '../../dependencies.ts';
import { ERROR_RESPONSES } from '../../../contract/shared.ts';
import type { CapturedEvent } from '../../../stores/postgres/capture/captured-events.ts';
import type { TraceAnswer } from '../../../contract/trace.ts';
import { eventKey, sessionName, traceAnswer } from '../../../contract/trace.ts';
import type { textSchema } from '../../../contract/trace.ts';
import { redactionsSchema } from '../../../contract/sessions.ts';

function presentText(text: TracedText): z.output<typeof textSchema> {
  return {
    id: text.id,
    type: text.type,
    title: text.title,
    quotes: text.quotes,
    created_at: text.createdAt.toISOString(),
  };
}

/** Returns the trace of an event. `existing`: ids of the objects in Weaviate; null if it was unavailable. */
export function presentTrace(
  event: CapturedEvent,
  trace: EventTrace,
  existing: ReadonlySet<string> | null,
  workflow: DescribedJob | null,
): TraceAnswer {
  const [first] = trace.rows;
  const lastSeq = trace.rows.at(-1)?.seq ?? 0;
  const { session } = trace;
  return {
    key: event.key,
    source: event.source,
    received_at: (first?.receivedAt ?? new Date(0)).toISOString(),
    occurred_at: (first?.occurredAt ?? new Date(0)).toISOString(),
    session: {
      id: session.id,
      host: session.host,
      external_id: session.externalId,
      title: session.title,
      status: session.status,
      project: session.project,
    },
    rows: trace.rows.map((row) => ({
      id: row.id,
      kind: row.kind,
      seq: row.seq,
      type: row.type,
      tool: row.tool,
      agent_id: row.agentId,
      tokens: row.tokens,
      words_indexed: row.words,
      redactions: redactionsSchema.parse(row.redactions),
    })),
    consumed: session.consumedSeq >= lastSeq,
    window:
      trace.window === null
        ? null
        : {
            n: trace.window.n,
            reason: trace.window.reason,
            state: trace.window.state,
            attempts: trace.window.attempts,
            error: trace.window.error,
            created_at: trace.window.createdAt.toISOString(),
          },
    infer: session.infer,
    summaries: trace.summaries.map(presentText),
    learnings: trace.learnings.map(presentText),
    embeddings: trace.embeddings.map((chunk) => ({
      memory_id: chunk.memoryId,
      memory_type: chunk.memoryType,
      chunk: chunk.chunk,
      model: chunk.model,
      state: chunk.state,
      attempts: chunk.attempts,
      error: chunk.error,
      object_id: chunk.objectId,
      indexed_at: chunk.indexedAt?.toISOString() ?? null,
      in_index: existing === null ? null : existing.has(chunk.objectId),
    })),
    workflow:
      workflow === null
        ? null
        : {
            id: workflow.workflowId,
            state: workflow.state,
            phase: workflow.phase,
            waiting_reason: workflow.waiting,
          },
  };
}

/** `GET /trace`: one event from its capture to its vectors, for its owner and admins. */
export function traceRoutes({ database, vectors, jobs }: ApiDependencies): FastifyPluginCallbackZod {
  /** Returns the ids of a trace's objects in Weaviate; null if it is unavailable. */
  const existingOf = async (tenantId: TenantId, trace: EventTrace): Promise<ReadonlySet<string> | null> => {
    const models = new Set(trace.embeddings.map((chunk) => chunk.model));
    const existing = new Set<string>();
    try {
      for (const model of models) {
        const ids = trace.embeddings.filter((chunk) => chunk.model === model).map((chunk) => chunk.objectId);
        for (const id of await vectors.existing(tenantId, model, ids)) existing.add(id);
      }
      return existing;
    } catch (error) {
      if (error instanceof VectorIndexUnavailable) return null;
      throw error;
    }
  };

  /** Undefined if Temporal is unavailable. */
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
          summary: 'Trace an event from its capture to its vectors',
          description:
            'Returns no content of the event. A key may exist in several sessions: returns one trace per session, at most ten.',
          querystring: z.strictObject({ key: eventKey, session: sessionName }),
          response: { 200: traceAnswer, ...ERROR_RESPONSES },
        },
      },
      async (request) => {
        const principal = principalOf(request);
        const { key, session } = request.query;
        const found = await database.asTenant(principal.tenantId, async (transaction) => {
          const sessionId =
            session === undefined ? null : await findSessionId(transaction, session, seekerOf(principal));
          const events =
            session !== undefined && sessionId === null
              ? []
              : await findCapturedEvents(transaction, { given: key, sessionId, viewerId: viewerOf(principal) });
          const traces = [];
          for (const event of events) {
            const trace = await traceEvent(transaction, event);
            if (trace !== null) traces.push({ event, trace });
          }
          return { traces, forgotten: await tombstonesOf(transaction, key, viewerOf(principal)) };
        });
        const degraded = new Set<'temporal' | 'vector'>();
        const data = [];
        for (const { event, trace } of found.traces) {
          const [existing, workflow] = await Promise.all([
            existingOf(principal.tenantId, trace),
            degraded.has('temporal') ? undefined : workflowOf(principal.tenantId, event.sessionId),
          ]);
          if (existing === null) degraded.add('vector');
          if (workflow === undefined) degraded.add('temporal');
          data.push(presentTrace(event, trace, existing, workflow ?? null));
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
