import { traceSchema, eventKey, sessionName, traceAnswer, textSchema } from '../../../contract/trace.ts';
import { z } from 'zod';
import { MEMORY_HASH } from '../../../domain/memory.ts';
import { stepsOf } from '../../../domain/trace-steps.ts';
import type { TenantId } from '../../../domain/ids.ts';
import { VectorIndexUnavailable } from '../../../domain/ports/vector-index.ts';
import { findCapturedEvents, SEARCHED_SESSIONS } from '../../../stores/postgres/capture/captured-events.ts';
import { readIn } from '../../../stores/postgres/connection/database.ts';
import { idsNamed } from '../../../stores/postgres/memories/memory-lookups.ts';
import { findSessionId } from '../../../stores/postgres/sessions/sessions.ts';
import { tombstonesOf, traceEvent } from '../../../stores/postgres/sessions/trace.ts';
import type { EventTrace, TracedText } from '../../../stores/postgres/sessions/trace.ts';
import type { DescribedJob } from '../../../stores/temporal/jobs.ts';
import { TemporalUnavailable } from '../../../stores/temporal/unavailable.ts';
import { principalOf, seekerOf, viewerOf, route, viewOf } from '../../auth.ts';
import type { Api, ApiDependencies } from '../../dependencies.ts';
import { present } from '../../http/present.ts';
import type { CapturedEvent } from '../../../stores/postgres/capture/captured-events.ts';
import type { TraceAnswer } from '../../../contract/trace.ts';
import { redactionsSchema } from '../../../contract/sessions.ts';

function presentText(text: TracedText): z.output<typeof textSchema> {
  return present(textSchema, text);
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
  const { session, window, summaries, learnings, vectors, traceIds } = trace;
  const shapes = traceSchema.shape;
  const { receivedAt, occurredAt } = first ?? { receivedAt: new Date(0), occurredAt: new Date(0) };
  const isConsumed = session.consumedSeq >= lastSeq;
  const steps = stepsOf({
    occurredAt,
    receivedAt,
    isConsumed,
    infer: session.infer,
    windowAt: window?.createdAt ?? null,
    isWindowPending: window?.state === 'pending' || window?.state === 'batched',
    summariesAt: summaries.map(({ createdAt }) => createdAt),
    learningsAt: learnings.map(({ createdAt }) => createdAt),
    vectors,
  });
  return present(traceSchema, {
    ...event,
    receivedAt,
    occurredAt,
    session: present(shapes.session, session),
    rows: trace.rows.map((row) =>
      present(shapes.rows.element, {
        ...row,
        wordsIndexed: row.words,
        redactions: redactionsSchema.parse(row.redactions),
      }),
    ),
    consumed: isConsumed,
    window: window === null ? null : present(shapes.window.unwrap(), window),
    infer: session.infer,
    summaries: summaries.map(presentText),
    learnings: learnings.map(presentText),
    embeddings: trace.embeddings.map((chunk) =>
      present(shapes.embeddings.element, {
        ...chunk,
        inIndex: existing === null ? null : existing.has(chunk.objectId),
      }),
    ),
    steps: steps.map((step) => present(shapes.steps.element, step)),
    traceIds,
    workflow:
      workflow === null
        ? null
        : present(shapes.workflow.unwrap(), {
            ...workflow,
            id: workflow.workflowId,
            waitingReason: workflow.waiting,
          }),
  });
}

/** `GET /trace`: one event from its capture to its vectors, for its owner and admins. */
export function traceRoutes(app: Api, { database, vectors, jobs }: ApiDependencies): void {
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

  app.get(
    '/trace',
    route('read', {
      tags: ['jobs'],
      summary: 'Trace an event from its capture to its vectors',
      description:
        'Returns no content of the event. A key may exist in several sessions: returns one trace per session, at most ten.',
      querystring: z.strictObject({ key: eventKey, session: sessionName }),
      response: { 200: traceAnswer },
    }),
    async (request) => {
      const principal = principalOf(request);
      const { key, session } = request.query;
      const found = await database.asTenant(viewOf(principal), async (transaction) => {
        const sessionId = session === undefined ? null : await findSessionId(transaction, session, seekerOf(principal));
        const ids = MEMORY_HASH.test(key) ? (await idsNamed(readIn(transaction), [key])).get(key) : undefined;
        const events: CapturedEvent[] = [];
        for (const given of session !== undefined && sessionId === null ? [] : [key, ...(ids ?? [])])
          events.push(...(await findCapturedEvents(transaction, { given, sessionId, viewerId: viewerOf(principal) })));
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
}
