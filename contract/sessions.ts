import { z } from 'zod';
import { OBSERVATION_TYPES, PROMPT_TYPES } from '../domain/capture/event.ts';
import { SESSION_PHASES } from '../domain/jobs.ts';
import { SESSION_SORTS, SESSION_STATUSES, WINDOW_STATES } from '../domain/session-states.ts';
import { citedTextSchema, cursorPageOf, cursorQuery, evidenceSchema, pageQuery } from './shared.ts';
import { jobSchema, pendingSchema, stuckSchema } from './jobs.ts';
import { flag, numeric } from './query.ts';
import { text } from './text.ts';
export const agentSchema = z
  .object({
    id: z.string(),
    type: z.string().nullable(),
    started_at: z.string().nullable(),
    stopped_at: z.string().nullable(),
    prompts: z.number().int(),
    observations: z.number().int(),
  })
  .meta({ id: 'SessionAgent' });

export const rowAgent = z.object({ id: z.string(), type: z.string().nullable() }).nullable();

export const redactionsSchema = z.record(z.string(), z.number().int()).nullable();

/** Fields of every captured row. */
const captured = {
  agent: rowAgent,
  data_class: z.string(),
  redactions: redactionsSchema.describe('Number of redactions, by kind'),
  occurred_at: z.string(),
  created_at: z.string(),
};

export const promptSchema = z
  .object({
    id: z.string(),
    seq: z.number().int(),
    role: z.enum(PROMPT_TYPES),
    content: z.string(),
    tokens: z.number().int(),
    ...captured,
  })
  .meta({ id: 'Prompt' });

export const observationSchema = z
  .object({
    id: z.string(),
    seq: z.number().int(),
    prompt_id: z.string().nullable(),
    type: z.enum(OBSERVATION_TYPES),
    event: z.string(),
    tool: z.string().nullable(),
    title: z.string(),
    preview: z.string(),
    content: z.string().optional().describe('Content; only with `full=true`'),
    importance: z.number(),
    flagged: z.boolean(),
    tags: z.array(z.string()),
    files_read: z.array(z.string()),
    files_modified: z.array(z.string()),
    tokens: z.number().int(),
    duration_ms: z.number().int().nullable(),
    ...captured,
  })
  .meta({ id: 'Observation' });

export const sessionSchema = z
  .object({
    id: z.string(),
    host: z.string(),
    external_id: z.string(),
    user_id: z.string().describe('Id of the owner, who may change the session, as admins may'),
    namespace: z.string(),
    title: z.string().nullable(),
    status: z.enum([...SESSION_STATUSES, 'deleted']),
    phase: z.enum(SESSION_PHASES),
    waiting_reason: z.string().nullable(),
    last_error: z.string().nullable(),
    stuck: stuckSchema.describe('Why its work does not progress; null if it does, or if nothing remains'),
    project: z.object({ id: z.string(), name: z.string(), git_remote: z.string().nullable() }).nullable(),
    capture: z.boolean().describe('Whether events of the session are stored'),
    model: z.string().nullable(),
    workflow_id: z.string().nullable(),
    started_at: z.string(),
    last_event_at: z.string(),
    ended_at: z.string().nullable(),
    gaps: z
      .array(
        z.object({
          from: z.string(),
          to: z.string(),
          transcript: z
            .enum(['read', 'expected', 'missing'])
            .describe('read: a transcript was read afterwards; expected: it will be; missing: none is read'),
        }),
      )
      .describe('Times in which HTTP hooks may have been lost, because the server was unreachable'),
  })
  .meta({ id: 'Session' });
export type Session = z.output<typeof sessionSchema>;

export const sessionsQuery = z.strictObject({
  ...pageQuery,
  ...cursorQuery,
  status: z.enum(SESSION_STATUSES).optional(),
  phase: z.enum(SESSION_PHASES).optional(),
  project: text(2048).optional(),
  search: text(200).optional(),
  sort: z.enum(SESSION_SORTS).default('newest').describe('By the time of the first event'),
  count: flag()
    .prefault(true)
    .describe('False: sessions are not counted, which takes longer than reading a page of many'),
});

export const sessionsAnswer = cursorPageOf(sessionSchema).extend({
  counts: z
    .object({
      status: z.record(z.enum(SESSION_STATUSES), z.number().int()),
      phase: z.record(z.enum(SESSION_PHASES), z.number().int()),
    })
    .nullable()
    .describe(
      'Sessions of `project` and `search`, by status and by phase, whatever `status` and `phase` are given; null in an answer to a `cursor`, and without `count`',
    ),
});

export const sessionDetail = sessionSchema
  .extend({
    counts: z.object({
      prompts: z.number().int(),
      observations: z.number().int(),
      boundaries: z
        .number()
        .int()
        .describe('Starts and ends of the session, its turns and sub-agents, compactions: events without content'),
      tokens: z.number().int(),
      summaries: z.number().int(),
      learnings: z.number().int(),
      windows_parked: z.number().int(),
      vectors_failed: z.number().int(),
    }),
    pending: pendingSchema,
    agents: z.array(agentSchema).describe('Sub-agents, in order of appearance'),
  })
  .meta({ id: 'SessionDetail' });
export type SessionDetail = z.output<typeof sessionDetail>;

export const sessionParams = z.object({ id: text(512).describe('Id of a session, or host:external id') });

export const SUMMARY_TYPES = ['session', 'topic', 'action', 'item'] as const;

export const summarySchema = z
  .object({
    id: z.string(),
    hash: z.string().describe('Eight characters derived from the id'),
    session_id: z.string(),
    type: z.enum(SUMMARY_TYPES),
    kind: z.string().nullable(),
    title: z.string(),
    content: z.string(),
    request: z.string().nullable(),
    investigated: z.string().nullable(),
    learned: z.string().nullable(),
    completed: z.string().nullable(),
    next_steps: z.string().nullable(),
    notes: z.string().nullable(),
    key_points: z.array(citedTextSchema),
    action_items: z.array(citedTextSchema),
    evidence: z.array(evidenceSchema),
    tags: z.array(z.string()),
    files_read: z.array(z.string()),
    files_modified: z.array(z.string()),
    model: z.string(),
    input_tokens: z.number().int(),
    output_tokens: z.number().int(),
    cost_usd: z.number(),
    version: z.number().int(),
    published: z.boolean(),
    from_seq: z.number().int(),
    to_seq: z.number().int(),
    occurred_at: z.string(),
    created_at: z.string(),
  })
  .meta({ id: 'Summary' });
export type Summary = z.output<typeof summarySchema>;

export const MAX_WAIT_SECONDS = 60;

export const waitQuery = z.strictObject({
  wait: numeric(z.number().min(0).max(MAX_WAIT_SECONDS))
    .prefault(0)
    .describe('Seconds to wait for completion; 0 returns the job at once'),
});

export const actionAnswer = z
  .object({
    done: z.boolean().describe('Whether the action is complete; false: it continues, and the job shows its progress'),
    summary_id: z.string().nullable(),
    summary: summarySchema.nullable().describe('Current summary, when the action is complete'),
    settled: z.boolean(),
    last_error: z.string().nullable(),
    job: jobSchema,
  })
  .meta({ id: 'SessionOrder' });

/** Largest position of a row in its session. */
const MAX_SEQ = 2_147_483_647;

export const rowsQuery = {
  ...pageQuery,
  cursor: cursorQuery.cursor.describe(
    '`next_cursor` or `prev_cursor` of a page of the same list; `page` and `around` are then ignored, and the rows are not counted',
  ),
  around: numeric(z.number().int().min(0).max(MAX_SEQ))
    .optional()
    .describe('Position in the session: returns the rows on both sides of it; `page` is then ignored'),
  agent: text(256).optional().describe('Id of a sub-agent; returns only its rows'),
};

const rowsObject = z.strictObject(rowsQuery);
export type RowsQuery = z.output<typeof rowsObject>;

export const windowSchema = z
  .object({
    n: z.number().int(),
    from_seq: z.number().int(),
    to_seq: z.number().int().describe('Inclusive'),
    tokens: z.number().int(),
    reason: z.string().describe('Why the window ends there'),
    state: z.enum(WINDOW_STATES),
    attempts: z.number().int(),
    error: z.string().nullable().describe('Type and message of the last failure'),
    summary_ids: z.array(z.string()).describe('Published topics and items that were made of it'),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Window' });

export const windowsQuery = z.strictObject({ ...pageQuery, ...cursorQuery, state: z.enum(WINDOW_STATES).optional() });
