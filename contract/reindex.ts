import { z } from 'zod';

const index = {
  index: z
    .string()
    .describe('Embedding model, and after `@` the version of how texts are cut where it is not the first'),
  dimension: z.number().int(),
  waiting: z.number().int().describe('Chunks that wait for their vector'),
  indexed: z.number().int(),
  failed: z.number().int().describe('Chunks that the index or the model refused; they get another turn after a day'),
};

export const indexesSchema = z
  .object({
    dry_run: z.boolean(),
    wanted: z.string().describe('The index that the settings ask for'),
    needed: z.boolean().describe('Another index is served'),
    serving: z.object({
      ...index,
      rewriting: z.boolean().describe('What it holds is still being asked for again, after a `rebuild`'),
    }),
    building: z
      .object({
        ...index,
        memories: z.object({ total: z.number().int(), filled: z.number().int(), complete: z.boolean() }),
        waiting_reason: z.string().nullable().describe('Type of the failure that it waits for the end of'),
      })
      .nullable(),
    retired: z
      .object({ index: z.string(), until: z.string() })
      .nullable()
      .describe('Served before, and taken away at that time'),
  })
  .meta({ id: 'Indexes' });
