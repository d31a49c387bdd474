import { z } from 'zod';
import { OBSERVATION_TYPES, PROMPT_TYPES } from '../domain/capture/event.ts';
import type { TimelineObservation, TimelinePrompt } from '../stores/postgres/sessions/session-timeline.ts';

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

const rowAgent = z.object({ id: z.string(), type: z.string().nullable() }).nullable();
export const redactionsSchema = z.record(z.string(), z.number().int()).nullable();

export const promptSchema = z
  .object({
    id: z.string(),
    seq: z.number().int(),
    role: z.enum(PROMPT_TYPES),
    content: z.string(),
    tokens: z.number().int(),
    agent: rowAgent,
    data_class: z.string(),
    redactions: redactionsSchema.describe('What was removed, by kind and count'),
    occurred_at: z.string(),
    created_at: z.string(),
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
    content: z.string().optional().describe('With full=true alone'),
    importance: z.number(),
    flagged: z.boolean(),
    tags: z.array(z.string()),
    files_read: z.array(z.string()),
    files_modified: z.array(z.string()),
    tokens: z.number().int(),
    duration_ms: z.number().int().nullable(),
    agent: rowAgent,
    data_class: z.string(),
    redactions: redactionsSchema.describe('What was removed, by kind and count'),
    occurred_at: z.string(),
    created_at: z.string(),
  })
  .meta({ id: 'Observation' });

function agentOf(row: {
  readonly agentId: string | null;
  readonly agentType: string | null;
}): z.output<typeof rowAgent> {
  return row.agentId === null ? null : { id: row.agentId, type: row.agentType };
}

export function presentPrompt(row: TimelinePrompt): z.output<typeof promptSchema> {
  return {
    id: row.id,
    seq: row.seq,
    role: promptSchema.shape.role.parse(row.type),
    content: row.content,
    tokens: row.tokens,
    agent: agentOf(row),
    data_class: row.dataClass,
    redactions: redactionsSchema.parse(row.redactions),
    occurred_at: row.occurredAt.toISOString(),
    created_at: row.createdAt.toISOString(),
  };
}

export function presentObservation(row: TimelineObservation): z.output<typeof observationSchema> {
  return {
    id: row.id,
    seq: row.seq,
    prompt_id: row.promptId,
    type: observationSchema.shape.type.parse(row.type),
    event: row.event,
    tool: row.tool,
    title: row.title,
    preview: row.preview,
    ...(row.content === undefined ? {} : { content: row.content }),
    importance: row.importance,
    flagged: row.flagged,
    tags: row.tags,
    files_read: row.filesRead,
    files_modified: row.filesModified,
    tokens: row.tokens,
    duration_ms: row.durationMs,
    agent: agentOf(row),
    data_class: row.dataClass,
    redactions: redactionsSchema.parse(row.redactions),
    occurred_at: row.occurredAt.toISOString(),
    created_at: row.createdAt.toISOString(),
  };
}
