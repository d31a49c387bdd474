import { z } from 'zod';

const count = z.coerce.number().int().min(1).max(100_000);

/** Settings of the event stream. */
export const streamEnvironment = {
  RECOLLECT_STREAMS_PER_USER: count.default(32).describe('Event streams that a user may have open in one api process'),
  RECOLLECT_STREAMS: count.default(1_000).describe('Event streams that may be open in one api process'),
};

type Environment = z.output<z.ZodObject<typeof streamEnvironment>>;

/** Returns the part of the configuration of these settings. */
export function streamConfig(env: Environment) {
  return { streams: { perUser: env.RECOLLECT_STREAMS_PER_USER, total: env.RECOLLECT_STREAMS } };
}
