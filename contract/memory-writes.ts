import { z } from 'zod';
import { LEARNING_CATEGORIES } from '../domain/ports/model.ts';
import { namespaceName, tagList, timestamp } from './shared.ts';
import { shown, text, line } from './text.ts';

/** A memory's text, in UTF-8. */
export const CONTENT_BYTES = 64 * 1024;
/** Memories of one request. */
export const MAX_BATCH = 1_000;
/** Of them those that are compared with what is known: each takes some tens of milliseconds. */
export const MAX_COMPARED = 100;

const content = line(CONTENT_BYTES).refine((text) => Buffer.byteLength(text, 'utf8') <= CONTENT_BYTES, {
  message: `holds at most ${CONTENT_BYTES} bytes`,
});
const title = line(200);
const share = z.number().min(0).max(1);

/** A memory given by hand. */
export const memoryInput = z
  .strictObject({
    content: content.describe('1 to 65,536 bytes'),
    title: title.optional(),
    tags: tagList.default([]),
    category: z.enum(LEARNING_CATEGORIES).default('general'),
    project: text(2048)
      .regex(new RegExp(shown(String.raw`\x01-\x1f\x7f-\x9f`), 'u'), 'must have a character that shows')
      .trim()
      .optional()
      .describe('Id, git remote, root path or name; one that is not known is made, unless it is an id'),
    namespace: namespaceName.default('default'),
    importance: share.optional().describe('0 to 1, 0.8 unless given'),
    confidence: share.optional().describe('Another name of importance'),
    occurred_at: timestamp
      .optional()
      .describe('When it happened, if not now; not in the future. It counts as believed since then'),
    infer: z.boolean().default(false).describe('Compare it with what is known, as learnings are'),
  })
  .refine((body) => body.importance === undefined || body.confidence === undefined, {
    path: ['confidence'],
    message: 'says the same as importance; give one of them',
  })
  .meta({ id: 'MemoryInput', not: { required: ['importance', 'confidence'] } });
export type MemoryInput = z.output<typeof memoryInput>;

/** Items are checked one by one: a bad one must not spoil the others. */
export const memoryBatch = z.strictObject({
  memories: z
    .array(z.union([memoryInput, z.unknown().meta({ description: 'Anything else is answered as rejected' })]))
    .min(1)
    .max(MAX_BATCH),
});

export const storedItem = z
  .object({
    index: z.number().int(),
    status: z.enum(['stored', 'duplicate', 'rejected']),
    hash: z.string().nullable(),
    code: z.string().nullable(),
    message: z.string().nullable().describe('Names the field'),
  })
  .meta({ id: 'StoredMemoryItem' });

/** What changes of a memory: at least one field. */
export const memoryCorrection = z
  .strictObject({
    content,
    title,
    tags: tagList,
    category: z.enum(LEARNING_CATEGORIES),
    importance: share,
    flagged: z.boolean(),
  })
  .partial()
  .refine((body) => Object.keys(body).length > 0, { path: ['content'], message: 'or another field is needed' })
  .meta({ minProperties: 1 });
export type MemoryCorrection = z.output<typeof memoryCorrection>;
