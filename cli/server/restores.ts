import { z } from 'zod';
import { queryOf } from './query.ts';
import type { ServerClient } from './server-client.ts';

const text = z.string().nullable();

const restore = z.object({
  id: z.string(),
  job_id: z.string(),
  kind: z.string(),
  set: text,
  dry_run: z.boolean(),
  state: z.string(),
  phase: z.string(),
  counts: z.record(z.string(), z.number()),
  result: z
    .object({
      tables: z.object({ rows: z.number(), different: z.array(z.string()) }).optional(),
      queries: z.object({ asked: z.number(), different: z.number() }).optional(),
      vectors: z.object({ objects: z.number(), pending: z.number() }).optional(),
      sessions_resumed: z.number().optional(),
      replaced: z.string().optional(),
      files: z.object({ restored: z.number(), missing: z.number() }).optional(),
      journal: z
        .object({ erasures: z.number(), faults: z.record(z.string(), z.number()), examples: z.array(z.string()) })
        .optional(),
      seconds: z.object({ total: z.number().optional() }).optional(),
    })
    .nullable(),
  error: text,
  message: text,
  created_at: z.string(),
  finished_at: text,
});
export type Restore = z.output<typeof restore>;
const restores = z.object({ data: z.array(restore) });

export interface RestoreOrder {
  readonly set?: string | undefined;
  readonly store?: 'copy' | undefined;
  readonly overwrite?: boolean | undefined;
  readonly dry_run?: boolean | undefined;
}

/** Restores and drills of the instance. Every method rejects with ClientError. */
export class Restores {
  private readonly client: ServerClient;

  constructor(client: ServerClient) {
    this.client = client;
  }

  restore(order: RestoreOrder): Promise<Restore> {
    return this.client.request('POST', '/admin/restore', restore, order);
  }

  drill(order: RestoreOrder): Promise<Restore> {
    return this.client.request('POST', '/admin/drill', restore, order);
  }

  list(limit: number): Promise<z.output<typeof restores>> {
    return this.client.request('GET', `/admin/restores${queryOf({ limit })}`, restores);
  }

  show(id: string): Promise<Restore> {
    return this.client.request('GET', `/admin/restores/${encodeURIComponent(id)}`, restore);
  }
}
