import { z } from 'zod';
import { PROMPT_TYPES } from '../domain/capture/event.ts';
import { HOOK_HOSTS } from '../domain/capture/hook-hosts.ts';
import { externalId, hostName, namespaceName, share, tagList, timestamp } from './shared.ts';
import { text } from './text.ts';

const TEXT_CHARS = 1024 * 1024;

const common = {
  host: hostName.default('generic'),
  session_id: externalId.describe('Id of the session at its host'),
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
  key: text(512).optional().describe('De-duplication key; default: the tool use id, else derived from the content'),
  infer: z.boolean().default(true).describe('Whether models process the event; false: it is only stored and indexed'),
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
    importance: share.optional(),
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

export const hookAnswer = z
  .object({
    hookSpecificOutput: z.object({ hookEventName: z.string(), additionalContext: z.string() }).optional(),
    additional_context: z.string().optional(),
    contextModification: z.string().optional(),
  })
  .meta({ id: 'HookAnswer' });

export const hookQuery = z.object({
  host: z.enum(HOOK_HOSTS).default('claude-code').describe('Agent host that sends the hook'),
  namespace: namespaceName.default('default').describe('Namespace of the session, fixed by its first event'),
});

/** What must be right in a hook's JSON: a host that sends anything else in another way than it did must not lose its events for it. */
export const hookBody = z.looseObject({ session_id: externalId });

/** Header of events that were spooled on the sender's disk. */
export const SOURCE_HEADER = 'x-recollect-source';

export const DELIVERY_HEADER = 'x-recollect-delivery';

export const IDEMPOTENCY_HEADER = 'idempotency-key';

const deliveryId = text(256);

/** Headers by which a sender may name a delivery, so that sending it again stores nothing twice. */
export const deliveryHeaders = z.looseObject({
  [DELIVERY_HEADER]: deliveryId.optional().describe('Id of this delivery; serves as de-duplication key'),
  [SOURCE_HEADER]: z
    .enum(['hook', 'spool'])
    .optional()
    .describe('`spool`: the client stored the event on disk before delivery'),
  [IDEMPOTENCY_HEADER]: deliveryId.optional().describe('Id of this delivery, under its common name'),
});
