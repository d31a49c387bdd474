import { z } from 'zod';
import { ITEM_KINDS, LEARNING_CATEGORIES } from '../../domain/ports/model.ts';

// One source for two uses: the JSON schema that goes to the provider, and the check of what comes back. Lengths and ranges
// are asked for in words and put right afterwards: a title that is three characters too long is not worth a second call.

const evidence = z
  .array(
    z.strictObject({
      row: z.string().describe('Short id of the row, for example "R3".'),
      quote: z.string().describe('Characters copied from that row exactly as they stand there, at most two sentences.'),
    }),
  )
  .describe(
    'One to four quotes that prove the claim. A claim with a quote that does not stand in its row is thrown away.',
  );

const citedTexts = z.array(z.strictObject({ text: z.string(), evidence }));

const item = z.strictObject({
  kind: z.enum(ITEM_KINDS),
  title: z.string().describe('At most 120 characters, a note and not a log line.'),
  content: z.string().describe('Two to four sentences: what, why, and how it was shown.'),
  tags: z.array(z.string()).describe('Tools, file extensions, error codes, concepts; lower case; at most 8.'),
  importance: z.number().describe('0 (trivial) to 1 (must be known in every later session).'),
  evidence,
});

export const topicAnswer = z.strictObject({
  title: z.string().describe('At most 120 characters.'),
  content: z.string().describe('Three to six sentences.'),
  keyPoints: citedTexts.describe('At most 7.'),
  actionItems: citedTexts.describe('What is left to do, at most 6.'),
  items: z.array(item).describe('At most 8; a bugfix needs a failure before and a success after.'),
});

export const sessionAnswer = z.strictObject({
  title: z.string().describe('At most 120 characters.'),
  request: z.string().describe('What the user asked for.'),
  investigated: z.string().describe('What was looked at; empty if nothing.'),
  learned: z.string().describe('What was found out; empty if nothing.'),
  completed: z.string().describe('What is done; empty if nothing.'),
  nextSteps: z.string().describe('What is left to do; empty if nothing.'),
  notes: z.string().describe('What else later sessions should know; empty if nothing.'),
  keyPoints: citedTexts.describe('At most 8.'),
  actionItems: citedTexts.describe('At most 6.'),
});

export const learningsAnswer = z.strictObject({
  learnings: z
    .array(
      z.strictObject({
        category: z.enum(LEARNING_CATEGORIES),
        title: z.string().describe('At most 120 characters.'),
        description: z.string().describe('The knowledge itself, so that it can be used without the session.'),
        context: z.string().describe('When it applies.'),
        examples: z.array(z.string()).describe('Commands or snippets, at most 3.'),
        tags: z.array(z.string()).describe('At most 8.'),
        confidence: z.number().describe('0 to 1: 0.9 shown by a test run or said by the user, 0.5 plausible.'),
        evidence,
      }),
    )
    .describe('At most 12; none is better than one that will not help later.'),
});
