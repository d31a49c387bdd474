import { z } from 'zod';
import { queryOf } from './query.ts';
import type { ServerClient } from './server-client.ts';

const policy = z.object({
  id: z.string(),
  resource: z.string(),
  project: z.string().nullable(),
  data_class: z.string().nullable(),
  age_days: z.number(),
  action: z.string(),
});
export type Policy = z.output<typeof policy>;
const policies = z.object({
  data: z.array(policy),
  defaults: z.array(policy),
  hash: z.string(),
  approved: z.boolean(),
});
export type Policies = z.output<typeof policies>;

const run = z.object({
  id: z.string(),
  mode: z.string(),
  state: z.string(),
  scheduled: z.boolean(),
  rows: z.number(),
  bytes: z.number(),
  error: z.string().nullable(),
  approved_at: z.string().nullable(),
  created_at: z.string(),
});
export type Run = z.output<typeof run>;
const count = z.object({
  rule: z.string(),
  resource: z.string(),
  action: z.string(),
  project: z.string().nullable(),
  data_class: z.string().nullable(),
  month: z.string(),
  rows: z.number(),
  bytes: z.number(),
});
export type Count = z.output<typeof count>;
const report = z.object({ run, counts: z.array(count) });
export type Report = z.output<typeof report>;

const hold = z.object({
  id: z.string(),
  subject: z.string(),
  subject_id: z.string(),
  reason: z.string(),
  created_at: z.string(),
  released_at: z.string().nullable(),
});
export type Hold = z.output<typeof hold>;

const archive = z.object({
  id: z.string(),
  session_id: z.string(),
  title: z.string(),
  preview: z.string(),
  ended_at: z.string(),
  counts: z.record(z.string(), z.number()),
  bytes: z.number(),
});
export type Archive = z.output<typeof archive>;

const part = encodeURIComponent;

/** What an admin asks of retention, holds and archives. Every method rejects with ClientError. */
export class RetentionApi {
  private readonly client: ServerClient;

  constructor(client: ServerClient) {
    this.client = client;
  }

  policies(): Promise<Policies> {
    return this.client.request('GET', '/admin/retention/policies', policies);
  }

  /** In place of those that were read with this hash. */
  setPolicies(given: readonly Omit<Policy, 'id'>[], hash: string): Promise<Policies> {
    return this.client.request('PUT', '/admin/retention/policies', policies, { policies: given, hash });
  }

  async start(dryRun: boolean): Promise<Run> {
    return (await this.client.request('POST', '/admin/retention', z.object({ run }), { dry_run: dryRun })).run;
  }

  report(id: string): Promise<Report> {
    return this.client.request('GET', `/admin/retention/runs/${part(id)}`, report);
  }

  async runs(limit: number): Promise<Run[]> {
    const answer = z.object({ data: z.array(run) });
    return (await this.client.request('GET', `/admin/retention/runs${queryOf({ limit })}`, answer)).data;
  }

  async approve(id: string): Promise<Run> {
    const answer = z.object({ run });
    return (await this.client.request('POST', `/admin/retention/runs/${part(id)}/approve`, answer)).run;
  }

  async holds(released: boolean): Promise<Hold[]> {
    const answer = z.object({ data: z.array(hold) });
    return (await this.client.request('GET', `/admin/legal-holds${queryOf({ released })}`, answer)).data;
  }

  addHold(subject: string, id: string | undefined, reason: string): Promise<Hold> {
    return this.client.request('POST', '/admin/legal-holds', hold, {
      subject,
      reason,
      ...(id === undefined ? {} : { id }),
    });
  }

  releaseHold(id: string): Promise<Hold> {
    return this.client.request('DELETE', `/admin/legal-holds/${part(id)}`, hold);
  }

  async archives(q: string | undefined, limit: number): Promise<Archive[]> {
    const answer = z.object({ data: z.array(archive) });
    return (await this.client.request('GET', `/archives${queryOf({ q, limit })}`, answer)).data;
  }

  async restore(id: string): Promise<string> {
    const answer = z.object({ job_id: z.string() });
    return (await this.client.request('POST', `/archives/${part(id)}/restore`, answer)).job_id;
  }
}
