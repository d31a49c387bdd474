import { z } from 'zod';
import { OBSERVATION_TYPES, PROMPT_TYPES } from '../domain/capture/event.ts';
import type { EventPart, HostEvent } from '../domain/capture/event.ts';
import { externalId, hostName, namespaceName, tagList, timestamp } from './shared.ts';
import { text } from './text.ts';

const TEXT_CHARS = 1024 * 1024;

const common = {
  host: hostName.default('generic'),
  session_id: externalId.describe("The host's own id of the session"),
  namespace: namespaceName.default('default'),
  project: z
    .object({
      remote: text(2048).optional(),
      path: text(4096).optional(),
      name: text(256).optional(),
      machine_id: text(256).optional(),
    })
    .optional(),
  occurred_at: timestamp.optional(),
  key: text(512).optional().describe('De-duplication key; else the tool use id, else the content decides'),
  infer: z.boolean().default(true).describe('false: stored and indexed, no model call'),
  agent: z.object({ id: text(256, 0).nullish(), type: text(256, 0).nullish() }).optional(),
};

const toolSchema = z.object({
  name: text(256),
  input: z.unknown().optional(),
  response: z.unknown().optional(),
  error: text(TEXT_CHARS, 0).nullish(),
  use_id: text(256).optional(),
  duration_ms: z.number().int().min(0).max(2_147_483_647).optional(),
});

const observation = z
  .object({
    ...common,
    type: z.literal('observation'),
    tool: toolSchema.optional(),
    text: text(TEXT_CHARS).optional(),
    level: z.enum(['info', 'warning', 'error']).default('info'),
    tags: tagList.default([]),
    importance: z.number().min(0).max(1).optional(),
  })
  .meta({ anyOf: [{ required: ['tool'] }, { required: ['text'] }] });

/** One event of the host-neutral contract. */
export const eventSchema = z
  .discriminatedUnion('type', [
    z.object({ ...common, type: z.literal('session.started'), model: text(256, 0).optional() }),
    z.object({
      ...common,
      type: z.literal('prompt'),
      role: z.enum(PROMPT_TYPES).default('user'),
      content: text(TEXT_CHARS),
    }),
    observation,
    z.object({ ...common, type: z.literal('turn.ended'), reason: text(256, 0).optional() }),
    z.object({ ...common, type: z.literal('session.ended'), reason: text(256, 0).optional() }),
    z.object({ ...common, type: z.literal('boundary'), reason: text(256, 0).optional() }),
  ])
  .refine((event) => event.type !== 'observation' || event.tool !== undefined || event.text !== undefined, {
    path: ['text'],
    message: 'an observation needs tool or text',
  })
  .meta({ id: 'Event' });

export type NeutralEvent = z.output<typeof eventSchema>;

export const itemSchema = z
  .object({
    index: z.number().int(),
    status: z.enum(['accepted', 'duplicate', 'rejected']),
    id: z.string().nullable(),
    code: z.string().nullable(),
    message: z.string().nullable(),
  })
  .meta({ id: 'CaptureItem' });

export const captureAnswerSchema = z
  .object({
    accepted: z.number().int(),
    duplicates: z.number().int(),
    rejected: z.number().int(),
    items: z.array(itemSchema),
  })
  .meta({ id: 'CaptureAnswer' });

function partOf(event: NeutralEvent): EventPart {
  switch (event.type) {
    case 'session.started':
      return { kind: 'boundary', boundary: 'session_start', reason: null };
    case 'prompt':
      return { kind: 'prompt', type: event.role, content: event.content };
    case 'turn.ended':
      return { kind: 'boundary', boundary: 'turn_end', reason: event.reason ?? null };
    case 'session.ended':
      return { kind: 'boundary', boundary: 'session_end', reason: event.reason ?? null };
    case 'boundary':
      return { kind: 'boundary', boundary: 'other', reason: event.reason ?? null };
    case 'observation': {
      const shared = { event: 'observation', importance: event.importance ?? null, tags: event.tags };
      if (event.tool === undefined) {
        const type = OBSERVATION_TYPES.find((known) => known === event.level) ?? 'info';
        return { kind: 'note', ...shared, type, title: '', content: event.text ?? '' };
      }
      const { name, input, response, error, duration_ms: durationMs } = event.tool;
      return {
        kind: 'tool',
        ...shared,
        name,
        input: input ?? null,
        response: response ?? event.text ?? null,
        error: error ?? null,
        durationMs: durationMs ?? null,
      };
    }
  }
}

/** A checked event in the form that hooks are translated into, too. */
export function toHostEvent(event: NeutralEvent): HostEvent {
  const toolUseId = event.type === 'observation' ? event.tool?.use_id : undefined;
  return {
    host: event.host,
    externalId: event.session_id,
    source: 'event',
    namespace: event.namespace,
    infer: event.infer,
    project:
      event.project === undefined
        ? null
        : {
            remote: event.project.remote,
            path: event.project.path,
            name: event.project.name,
            machineId: event.project.machine_id,
          },
    key: event.key ?? (toolUseId === undefined ? null : `tool:${toolUseId}`),
    occurredAt: event.occurred_at ?? null,
    agent: { id: event.agent?.id ?? null, type: event.agent?.type ?? null },
    model: event.type === 'session.started' ? (event.model ?? null) : null,
    metadata: null,
    parts: [partOf(event)],
  };
}
