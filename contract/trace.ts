import { z } from 'zod';
import { TRACE_STEPS } from '../domain/trace-steps.ts';
import { redactionsSchema } from './sessions.ts';
import { text } from './text.ts';

export const textSchema = z.object({
  id: z.string(),
  type: z.string(),
  title: z.string(),
  quotes: z.boolean().describe('Whether it quotes the event; else it was derived from the same rows'),
  created_at: z.string(),
});

export const traceSchema = z
  .object({
    key: z.string(),
    source: z.string().describe('Source of the event: hook, event, spool, transcript or import'),
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
    consumed: z
      .boolean()
      .describe('Whether the session’s workflow consumed the row: tokens counted, words indexed, vectors requested'),
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
    infer: z.boolean().describe('Whether models process the event; false: it is in no window'),
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
        in_index: z
          .boolean()
          .nullable()
          .describe('Whether Weaviate contains the object; null: Weaviate was unavailable'),
      }),
    ),
    steps: z
      .array(
        z.object({
          name: z.enum(TRACE_STEPS),
          started_at: z.string(),
          duration_ms: z.number().nullable().describe('Including the time that it waited; null: not complete'),
        }),
      )
      .describe('Times from the event to its last vector, of the steps that began and whose times are known'),
    trace_ids: z
      .array(z.string())
      .describe('Traces of the requests that captured the event, if they were sampled in the last seven days'),
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

export const eventKey = text(512).describe('Stored key, tool use id, delivery id, or id or hash of a row');

export const sessionName = text(512).optional().describe('Id of a session, or host:external id');

export const traceAnswer = z.object({
  data: z.array(traceSchema),
  forgotten: z
    .array(z.object({ host: z.string(), external_id: z.string(), forgotten_at: z.string() }))
    .describe(
      'Number of sessions in which an event of this key was forgotten: of the caller; for admins, of all users',
    ),
  searched_sessions: z
    .number()
    .int()
    .nullable()
    .describe('Number of newest sessions that were searched; null: one session'),
  degraded: z.array(z.enum(['temporal', 'vector'])),
});
