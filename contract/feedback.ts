import { z } from 'zod';
import { text } from './text.ts';

const memoryName = z
  .string()
  .regex(
    /^(?:[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[a-zA-Z2-7]{8})$/,
    'the id of an item of the context, or its hash',
  )
  .toLowerCase();
const memoryNames = z.array(memoryName).max(200).default([]);

/** What of a context proved useful or wrong: at least one item. */
export const feedbackBody = z
  .strictObject({
    useful: memoryNames,
    wrong: memoryNames,
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
    useful: z.number().int().describe('Items that this counted for the first time'),
    wrong: z.number().int(),
    learnings: z.number().int().describe('Learnings whose use or confidence changed'),
  })
  .meta({ id: 'ContextFeedback' });
