import { z } from 'zod';
import { queryOf } from './query.ts';
import type { ServerClient } from './server-client.ts';

const sums = z.object({
  calls: z.number(),
  cache_hits: z.number(),
  batch_calls: z.number(),
  input_tokens: z.number(),
  output_tokens: z.number(),
  tokens_cached: z.number(),
  usd: z.number(),
});
const group = sums.extend({ key: z.string().nullable(), name: z.string().nullable() });
const usage = z.object({
  scope: z.object({ user: z.object({ username: z.string() }).nullable() }),
  since: z.string(),
  until: z.string(),
  totals: sums,
  groups: z.array(group),
  more_groups: z.boolean(),
  budget: z.object({
    quota_tokens: z.number(),
    used_tokens: z.number(),
    reserved_tokens: z.number(),
    share: z.number().nullable(),
    resets_at: z.string(),
  }),
  alerts: z.array(z.object({ day: z.string(), user: z.object({ username: z.string() }), share: z.number() })),
});
export type Usage = z.output<typeof usage>;

export const USAGE_KEYS = ['user', 'model', 'operation', 'day', 'project'] as const;
export type UsageKey = (typeof USAGE_KEYS)[number];

export interface UsageQuestion {
  /** RFC 3339. */
  readonly since: string;
  readonly by: UsageKey;
  /** Id or name of a user; `me` for one's own. */
  readonly user?: string;
}

/** What the models cost since then. @throws ClientError */
export function readUsage(client: ServerClient, question: UsageQuestion): Promise<Usage> {
  const { since, by, user } = question;
  return client.request('GET', `/usage${queryOf({ since, group_by: by, user })}`, usage);
}
