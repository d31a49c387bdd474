import { z } from 'zod';
import { MEMORY_TYPES } from '../domain/ports/vector-index.ts';
import { CONTEXT_PURPOSES, USE_KINDS } from '../domain/context/served.ts';
import { namespaceName, newestOf, newestQuery, timestamp } from './shared.ts';
import { text } from './text.ts';

/** Tokens of the block that a session start is given. */
export const DEFAULT_CONTEXT_TOKENS = 900;
const common = {
  project: text(2048).optional().describe('Id, git remote, root path or name'),
  namespace: namespaceName.default('default'),
  session_id: text(512).optional().describe('Id, or host:external id, of the requesting session'),
  prompt: text(100_000, 0).optional(),
  file: text(4096, 0).optional(),
  budget_tokens: z.number().int().min(50).max(8_000).default(DEFAULT_CONTEXT_TOKENS),
  preview: z
    .boolean()
    .default(false)
    .describe('For people: the same context, which is not recorded as served and has no id'),
};

export const contextBody = z.discriminatedUnion('purpose', [
  z
    .strictObject({ purpose: z.literal('session_start'), ...common })
    .refine((body) => body.project !== undefined || body.session_id !== undefined, {
      path: ['project'],
      message: 'or session_id is needed for a session start',
    })
    .meta({ anyOf: [{ required: ['project'] }, { required: ['session_id'] }] }),
  z.strictObject({ purpose: z.literal('prompt'), ...common, prompt: text(100_000, 0) }),
  z.strictObject({ purpose: z.literal('file'), ...common, file: text(4096, 0) }),
]);

/** A context that was served. Its text is not stored: items name what it contained. */
export const servedContext = z
  .object({
    id: z.string(),
    purpose: z.enum(CONTEXT_PURPOSES),
    user_id: z.string(),
    session: z.object({ id: z.string(), title: z.string().nullable() }).nullable(),
    project: z.object({ id: z.string(), name: z.string() }).nullable(),
    tokens: z.number().int(),
    items: z.number().int().describe('Number of served memories'),
    useful: z.number().int().describe('Number of those marked as useful'),
    fetched: z.number().int().describe('Number of those that were fetched afterwards'),
    wrong: z.number().int().describe('Number of those marked as wrong'),
    created_at: z.string(),
  })
  .meta({ id: 'ServedContext' });
export type ServedContextAnswer = z.output<typeof servedContext>;

export const servedContextDetail = servedContext
  .omit({ items: true })
  .extend({
    items: z.array(
      z.object({
        id: z.string(),
        hash: z.string(),
        type: z.enum(MEMORY_TYPES),
        kind: z.string().nullable(),
        title: z.string().nullable().describe('As it is now; null if the memory was forgotten or is not visible'),
        preview: z.string().nullable(),
        closed: z.boolean().describe('A learning that was closed since; title and preview are the served ones'),
        reason: z.string().nullable().describe('Why it was served; null if it was not recorded'),
        tokens: z.number().int().nullable(),
        feedback: z.array(z.enum(USE_KINDS)),
        note: z.string().nullable(),
      }),
    ),
  })
  .meta({ id: 'ServedContextDetail' });
export type ServedContextDetail = z.output<typeof servedContextDetail>;

export const contextsQuery = newestQuery.extend({
  session: text(512).optional().describe('Id, or host:external id'),
  project: text(2048).optional().describe('Id, git remote, root path or name'),
  purpose: z.enum(CONTEXT_PURPOSES).optional(),
  since: timestamp.optional(),
  until: timestamp.optional().describe('End of the time range, exclusive'),
});

export const contextsAnswer = newestOf(servedContext);

export const contextAnswer = z
  .object({
    id: z
      .string()
      .nullable()
      .describe('Id of the context, for feedback and `used_in`; null if nothing was served, and of a preview'),
    text: z.string(),
    tokens: z.number().int(),
    items: z.array(
      z.object({
        id: z.string(),
        hash: z.string(),
        type: z.enum(MEMORY_TYPES),
        reason: z.string(),
        tokens: z.number().int(),
        score: z.number(),
      }),
    ),
    omitted: z.number().int(),
  })
  .meta({ id: 'Context' });

const servedName = z
  .string()
  .regex(
    /^(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[a-zA-Z2-7]{8})$/,
    'the id of an item of the context, or its hash',
  )
  .toLowerCase();

const servedNames = z.array(servedName).max(200).default([]);

/** What of a context proved useful or wrong: at least one item. */
export const feedbackBody = z
  .strictObject({
    useful: servedNames,
    wrong: servedNames,
    note: text(500, 0).trim().optional(),
  })
  .refine((body) => body.useful.length + body.wrong.length > 0, {
    path: ['useful'],
    message: 'or wrong must name an item',
  })
  .meta({
    anyOf: ['useful', 'wrong'].map((field) => ({ required: [field], properties: { [field]: { minItems: 1 } } })),
  });

export const feedbackAnswer = z
  .object({
    id: z.string(),
    useful: z.number().int().describe('Number of items rated for the first time'),
    wrong: z.number().int(),
    learnings: z.number().int().describe('Number of learnings whose use or confidence changed'),
  })
  .meta({ id: 'ContextFeedback' });

export const profileEvidence = z.object({
  row_id: z.string().describe('Id of the cited row; for a learning created by a user, the id of the learning'),
  session_id: z.string().nullable(),
  quote: z.string(),
  occurred_at: z.string(),
});

export const profileSchema = z
  .object({
    user: z.object({ id: z.string(), username: z.string() }),
    project: z.object({ id: z.string(), name: z.string() }).nullable(),
    preferences: z.array(
      z.object({
        text: z.string(),
        category: z.string(),
        learning_ids: z.array(z.string()),
        verified: z.boolean(),
        confidence: z.number(),
        sessions: z.number().int().describe('Number of sessions with this evidence'),
        evidence: z.array(profileEvidence),
      }),
    ),
    focus: z.array(
      z.object({
        kind: z.enum(['request', 'next_step']),
        text: z.string(),
        session_id: z.string(),
        occurred_at: z.string(),
        evidence: z.array(profileEvidence),
      }),
    ),
  })
  .meta({ id: 'Profile' });
