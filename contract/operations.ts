import { z } from 'zod';
import { WORK_STATES } from '../domain/jobs.ts';

export const dependencySchema = z
  .object({ status: z.enum(['ok', 'unavailable']), latency_ms: z.number().nullable() })
  .meta({ id: 'DependencyHealth' });

export const healthSchema = z
  .object({
    status: z.enum(['ok', 'degraded', 'down']),
    dependencies: z.object({
      postgres: dependencySchema,
      temporal: dependencySchema,
      weaviate: dependencySchema,
      embedder: dependencySchema,
    }),
  })
  .meta({ id: 'Health' });

export const healthAnswer = z.union([healthSchema, z.object({ status: healthSchema.shape.status })]);

const index = {
  index: z.string().describe('Embedding model, followed by `@` and the version of chunking unless that is the first'),
  dimension: z.number().int(),
  waiting: z.number().int().describe('Number of chunks that wait for their vector'),
  indexed: z.number().int(),
  failed: z.number().int().describe('Number of chunks that the index or the model rejected; retried after a day'),
};

export const indexesSchema = z
  .object({
    dry_run: z.boolean(),
    wanted: z.string().describe('Index of the current settings'),
    needed: z.boolean().describe('Whether another index is served'),
    serving: z.object({
      ...index,
      rewriting: z.boolean().describe('Whether the index is being rebuilt after a `rebuild`'),
    }),
    building: z
      .object({
        ...index,
        memories: z.object({ total: z.number().int(), filled: z.number().int(), complete: z.boolean() }),
        waiting_reason: z.string().nullable().describe('Type of the transient failure that the job waits out'),
      })
      .nullable(),
    retired: z
      .object({ index: z.string(), until: z.string() })
      .nullable()
      .describe('Previously served index, deleted at `until`'),
  })
  .meta({ id: 'Indexes' });

const counts = z.record(z.string(), z.number().int());

export const checkSchema = z
  .object({
    id: z.string(),
    job_id: z.string().nullable().describe('Id of the job; null if the schedule started it'),
    state: z.enum(WORK_STATES),
    repair: z.boolean(),
    rows: z.number().int().describe('Number of rows and objects compared'),
    found: counts.describe('Differences by kind'),
    repaired: counts.describe('Repaired differences by kind'),
    remaining: z.number().int().describe('Number of differences not repaired'),
    error: z.string().nullable().describe('Type of the failure'),
    started_at: z.string(),
    finished_at: z.string().nullable(),
  })
  .meta({ id: 'Check' });

/** Longest period of a report. */
export const MAX_DAYS = 400;

const figure = z.object({
  metric: z.string(),
  dimensions: z.record(z.string(), z.string()),
  value: z.number(),
});

export const statsSchema = z
  .object({
    scope: z.enum(['tenant', 'instance']),
    now: z.array(figure).describe('Current counts, of this tenant only'),
    days: z
      .array(z.object({ date: z.string(), figures: z.array(figure) }))
      .describe('Stored daily figures, oldest first'),
  })
  .meta({ id: 'Statistics' });

/** Events per second since the sample before. */
const rates = z.object({ captures: z.number(), searches: z.number(), requests: z.number() });

export const instanceHistorySchema = z
  .object({
    data: z
      .array(
        z.object({
          at: z.string().describe('Start of the five minutes'),
          rates: rates.nullable().describe('Per second, of all api processes; null without an earlier sample of one'),
          behind: z.object({
            sessions: z.number().int().describe('Number of sessions that are not settled'),
            rows: z.number().int().describe('Number of captured rows that no workflow has consumed'),
            oldest_s: z.number().describe('Age of the oldest of these rows'),
            windows: z.number().int().describe('Number of windows without a summary'),
            vectors: z.number().int().describe('Number of chunks without a vector'),
          }),
          memory: z.object({
            api_bytes: z.number().int().nullable().describe('Resident memory of all api processes'),
            worker_bytes: z.number().int().describe('Resident memory of the worker that took the sample'),
            machine_used_bytes: z.number().int().describe('Of the container of that worker, or of its machine'),
            machine_limit_bytes: z.number().int(),
          }),
          database_bytes: z.number().int(),
          backup_at: z.string().nullable().describe('Snapshot of the last complete backup'),
          usd_today: z.number().describe('Cost of model requests of the UTC day'),
        }),
      )
      .describe('Of the last day, oldest first; five minutes without a sweep are missing'),
  })
  .meta({ id: 'InstanceHistory' });
