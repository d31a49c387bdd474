import { z } from 'zod';
import type { CapturedEvent } from '../stores/postgres/capture/captured-events.ts';
import type { EventTrace, TracedText } from '../stores/postgres/sessions/trace.ts';
import type { DescribedJob } from '../stores/temporal/jobs.ts';
import { redactionsSchema } from './session-rows.ts';

const textSchema = z.object({
  id: z.string(),
  type: z.string(),
  title: z.string(),
  quotes: z.boolean().describe('It quotes the event; else it was made from the same rows'),
  created_at: z.string(),
});

export const traceSchema = z
  .object({
    key: z.string(),
    source: z.string().describe('hook, event, spool, transcript or import'),
    received_at: z.string(),
    occurred_at: z.string(),
    session: z.object({
      id: z.string(),
      host: z.string(),
      external_id: z.string(),
      title: z.string().nullable(),
      status: z.string(),
      project: z.string().nullable(),
    }),
    rows: z.array(
      z.object({
        id: z.string(),
        kind: z.enum(['prompt', 'observation', 'boundary']),
        seq: z.number().int(),
        type: z.string(),
        tool: z.string().nullable(),
        agent_id: z.string().nullable(),
        tokens: z.number().int(),
        words_indexed: z.boolean(),
        redactions: redactionsSchema,
      }),
    ),
    consumed: z.boolean().describe('Tokens are counted, words are indexed, vectors are asked for'),
    window: z
      .object({
        n: z.number().int(),
        reason: z.string(),
        state: z.string(),
        attempts: z.number().int(),
        error: z.string().nullable(),
        created_at: z.string(),
      })
      .nullable(),
    infer: z.boolean().describe('False: no window is ever cut'),
    summaries: z.array(textSchema),
    learnings: z.array(textSchema),
    embeddings: z.array(
      z.object({
        memory_id: z.string(),
        memory_type: z.string(),
        chunk: z.number().int(),
        model: z.string(),
        state: z.string(),
        attempts: z.number().int(),
        error: z.string().nullable(),
        object_id: z.string(),
        indexed_at: z.string().nullable(),
        in_index: z.boolean().nullable().describe('Whether the object stands in Weaviate; null: Weaviate is away'),
      }),
    ),
    workflow: z
      .object({
        id: z.string(),
        state: z.string(),
        phase: z.string().nullable(),
        waiting_reason: z.string().nullable(),
      })
      .nullable(),
  })
  .meta({ id: 'Trace' });
export type TraceAnswer = z.output<typeof traceSchema>;

function presentText(text: TracedText): z.output<typeof textSchema> {
  return {
    id: text.id,
    type: text.type,
    title: text.title,
    quotes: text.quotes,
    created_at: text.createdAt.toISOString(),
  };
}

/** One event's way as the api tells it. `standing`: the objects that Weaviate has; null where it was away. */
export function presentTrace(
  event: CapturedEvent,
  trace: EventTrace,
  standing: ReadonlySet<string> | null,
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
      in_index: standing === null ? null : standing.has(chunk.objectId),
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
