import { z } from 'zod';

/** A job as tests look at it. */
export const jobAnswer = z.looseObject({
  id: z.string(),
  kind: z.string(),
  state: z.string(),
  phase: z.string().nullable(),
  pending: z.object({ summarise: z.number(), learn: z.number(), embed: z.number() }),
  session: z.looseObject({ id: z.string(), external_id: z.string() }).nullable(),
  stuck: z.object({ reason: z.string(), why: z.string(), advice: z.string() }).nullable(),
});
/** A list of jobs. */
export const jobListAnswer = z.object({
  data: z.array(jobAnswer),
  degraded: z.array(z.string()),
  pagination: z.looseObject({ next_cursor: z.string().nullable(), total: z.number() }),
});
