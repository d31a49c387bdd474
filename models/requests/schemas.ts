import { zodOutputFormat } from '@anthropic-ai/sdk/helpers/zod';
import { z } from 'zod';
import { ITEM_KINDS, LEARNING_CATEGORIES } from '../../domain/ports/model.ts';

// One source for two uses: the provider's JSON schema, and the validation of responses. The instructions describe the fields once, instead
// of descriptions that the provider would count again. Lengths and ranges are corrected afterwards: a title that is three characters too
// long is not worth a second call.

const evidence = z.array(z.strictObject({ row: z.string(), quote: z.string() }));
const citedTexts = z.array(z.strictObject({ text: z.string(), evidence }));

const item = z.strictObject({
  kind: z.enum(ITEM_KINDS),
  title: z.string(),
  content: z.string(),
  tags: z.array(z.string()),
  importance: z.number(),
  evidence,
});

export const topicResponse = z.strictObject({
  title: z.string(),
  content: z.string(),
  keyPoints: citedTexts,
  actionItems: citedTexts,
  items: z.array(item),
});

export const sessionResponse = z.strictObject({
  title: z.string(),
  request: z.string(),
  investigated: z.string(),
  learned: z.string(),
  completed: z.string(),
  nextSteps: z.string(),
  notes: z.string(),
  keyPoints: citedTexts,
  actionItems: citedTexts,
});

export const RELATION_KINDS = ['new', 'same', 'refines', 'contradicts'] as const;

export const learningsResponse = z.strictObject({
  learnings: z.array(
    z.strictObject({
      category: z.enum(LEARNING_CATEGORIES),
      title: z.string(),
      description: z.string(),
      context: z.string(),
      examples: z.array(z.string()),
      tags: z.array(z.string()),
      confidence: z.number(),
      relation: z.strictObject({ kind: z.enum(RELATION_KINDS), known: z.string() }),
      evidence,
    }),
  ),
});

export type TopicResponse = z.infer<typeof topicResponse>;
export type SessionResponse = z.infer<typeof sessionResponse>;
export type LearningsResponse = z.infer<typeof learningsResponse>;

/** Returns the schema in the provider's form: closed objects, every property required. */
export function jsonSchemaOf(schema: z.ZodType): Record<string, unknown> {
  return zodOutputFormat(schema).schema;
}
