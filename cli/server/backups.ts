import { z } from 'zod';
import { queryOf } from './query.ts';
import type { ServerClient } from './server-client.ts';

const moment = z.string().nullable();

const backup = z.object({
  id: z.string(),
  state: z.string(),
  error: moment,
  requested_by: moment,
  created_at: z.string(),
  finished_at: moment,
  snapshot_at: moment,
  whole: z.boolean(),
  files: z.number(),
  rows: z.number(),
  vectors: z.number(),
  bytes: z.number(),
  plain_bytes: z.number(),
  encryption_key: moment,
  verified_at: moment,
  verified_how: moment,
  verify_error: moment,
  copied_at: moment,
  copy_verified_at: moment,
  removed_at: moment,
});
export type Backup = z.output<typeof backup>;

const backups = z.object({ data: z.array(backup), pagination: z.object({ next_cursor: z.string().nullable() }) });
const verifying = z.object({ id: z.string(), job_id: z.string() });
const jobState = z.object({ job: z.object({ state: z.string(), last_error: z.string().nullable() }) });

/** Backups of the instance. Every method rejects with ClientError. */
export class Backups {
  private readonly client: ServerClient;

  constructor(client: ServerClient) {
    this.client = client;
  }

  make(): Promise<Backup> {
    return this.client.request('POST', '/admin/backup', backup);
  }

  list(limit: number): Promise<z.output<typeof backups>> {
    return this.client.request('GET', `/admin/backups${queryOf({ limit })}`, backups);
  }

  show(id: string): Promise<Backup> {
    return this.client.request('GET', `/admin/backups/${encodeURIComponent(id)}`, backup);
  }

  /** Starts the reading back of a set; answers its job. */
  verify(id: string): Promise<z.output<typeof verifying>> {
    return this.client.request('POST', `/admin/backups/${encodeURIComponent(id)}/verify`, verifying);
  }

  /** `running`, or how the job ended. */
  async stateOf(jobId: string): Promise<string> {
    const { job } = await this.client.request('GET', `/jobs/${encodeURIComponent(jobId)}`, jobState);
    return job.state;
  }
}
