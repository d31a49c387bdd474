import { z } from 'zod';
import { queryOf } from './query.ts';
import type { ServerClient } from './server-client.ts';

const pagination = z.object({ total: z.number(), next_cursor: z.string().nullable() });

const job = z.object({
  id: z.string(),
  kind: z.string(),
  session: z
    .object({
      id: z.string(),
      external_id: z.string(),
      host: z.string(),
      title: z.string().nullable(),
      project: z.string().nullable(),
      status: z.string(),
      events: z.number(),
    })
    .nullable(),
  state: z.string(),
  phase: z.string().nullable(),
  waiting_reason: z.string().nullable(),
  waiting_until: z.string().nullable(),
  attempts: z.number(),
  last_error: z.string().nullable(),
  pending: z.object({ summarise: z.number(), learn: z.number(), embed: z.number() }),
  stuck: z.object({ reason: z.string(), why: z.string(), advice: z.string() }).nullable(),
  started_at: z.string(),
  updated_at: z.string(),
});
export type Job = z.output<typeof job>;

const jobs = z.object({ data: z.array(job), degraded: z.array(z.string()), pagination });
const oneJob = z.object({ job, degraded: z.array(z.string()) });
const order = z.object({
  done: z.boolean(),
  summary_id: z.string().nullable(),
  settled: z.boolean(),
  last_error: z.string().nullable(),
  job,
});
export type Order = z.output<typeof order>;

const text = z.object({
  id: z.string(),
  type: z.string(),
  title: z.string(),
  quotes: z.boolean(),
  created_at: z.string(),
});
const trace = z.looseObject({
  key: z.string(),
  source: z.string(),
  received_at: z.string(),
  occurred_at: z.string(),
  session: z.object({
    id: z.string(),
    host: z.string(),
    external_id: z.string(),
    title: z.string().nullable(),
    status: z.string(),
    project: z.string().nullable(),
  }),
  rows: z.array(
    z.object({
      id: z.string(),
      kind: z.string(),
      seq: z.number(),
      type: z.string(),
      tool: z.string().nullable(),
      agent_id: z.string().nullable(),
      tokens: z.number(),
      words_indexed: z.boolean(),
      redactions: z.record(z.string(), z.number()).nullable(),
    }),
  ),
  consumed: z.boolean(),
  infer: z.boolean(),
  window: z
    .object({
      n: z.number(),
      reason: z.string(),
      state: z.string(),
      attempts: z.number(),
      error: z.string().nullable(),
      created_at: z.string(),
    })
    .nullable(),
  summaries: z.array(text),
  learnings: z.array(text),
  embeddings: z.array(
    z.object({
      chunk: z.number(),
      model: z.string(),
      state: z.string(),
      attempts: z.number(),
      error: z.string().nullable(),
      indexed_at: z.string().nullable(),
      in_index: z.boolean().nullable(),
    }),
  ),
  workflow: z
    .object({ id: z.string(), state: z.string(), phase: z.string().nullable(), waiting_reason: z.string().nullable() })
    .nullable(),
});
export type Trace = z.output<typeof trace>;

const traces = z.object({
  data: z.array(trace),
  forgotten: z.array(z.object({ host: z.string(), external_id: z.string(), forgotten_at: z.string() })),
  searched_sessions: z.number().nullable(),
  degraded: z.array(z.string()),
});
export type Traces = z.output<typeof traces>;

const forgotten = z.object({
  dry_run: z.boolean(),
  session_id: z.string(),
  key: z.string().nullable(),
  forgotten: z.record(z.string(), z.number()),
});
export type Forgotten = z.output<typeof forgotten>;

const project = z.object({
  id: z.string(),
  display_name: z.string(),
  git_remote: z.string().nullable(),
  aliases: z.array(z.string()),
  sessions: z.number(),
  learnings: z.number(),
  last_event_at: z.string().nullable(),
});
export type Project = z.output<typeof project>;

const projects = z.object({ data: z.array(project), pagination });
const merged = z.object({ project, moved: z.record(z.string(), z.number()) });
const setting = z.object({ value: z.array(z.string()) });

const part = encodeURIComponent;

export interface JobFilter {
  readonly state?: string | undefined;
  readonly kind?: string | undefined;
  readonly project?: string | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** What a person asks of sessions, jobs, events and projects. Every method rejects with ClientError. */
export class Steering {
  private readonly client: ServerClient;

  constructor(client: ServerClient) {
    this.client = client;
  }

  jobs(filter: JobFilter): Promise<z.output<typeof jobs>> {
    return this.client.request('GET', `/jobs${queryOf({ ...filter })}`, jobs);
  }

  async job(id: string): Promise<Job> {
    return (await this.client.request('GET', `/jobs/${part(id)}`, oneJob)).job;
  }

  async changeJob(id: string, change: 'retry' | 'cancel'): Promise<Job> {
    return (await this.client.request('POST', `/jobs/${part(id)}/${change}`, oneJob)).job;
  }

  /** Sums a session up, or ends it, and waits so many seconds for it. */
  order(session: string, what: 'summaries' | 'close', waitSeconds: number): Promise<Order> {
    return this.client.request('POST', `/sessions/${part(session)}/${what}${queryOf({ wait: waitSeconds })}`, order);
  }

  async setCapture(session: string, capture: boolean): Promise<boolean> {
    const schema = z.object({ capture: z.boolean() });
    return (await this.client.request('PUT', `/sessions/${part(session)}`, schema, { capture })).capture;
  }

  trace(key: string, session: string | undefined): Promise<Traces> {
    return this.client.request('GET', `/trace${queryOf({ key, session })}`, traces);
  }

  forgetEvent(key: string, session: string | undefined, dryRun: boolean): Promise<Forgotten> {
    return this.client.request('DELETE', `/events/${part(key)}${queryOf({ session, dry_run: dryRun })}`, forgotten);
  }

  forgetSession(session: string, dryRun: boolean): Promise<Forgotten> {
    return this.client.request('DELETE', `/sessions/${part(session)}${queryOf({ dry_run: dryRun })}`, forgotten);
  }

  projects(search: string | undefined, limit: number): Promise<z.output<typeof projects>> {
    return this.client.request('GET', `/projects${queryOf({ search, limit })}`, projects);
  }

  project(given: string): Promise<Project> {
    return this.client.request('GET', `/projects/${part(given)}`, project);
  }

  changeProject(given: string, change: Readonly<Record<string, unknown>>): Promise<Project> {
    return this.client.request('PUT', `/projects/${part(given)}`, project, change);
  }

  mergeProjects(from: string, into: string): Promise<z.output<typeof merged>> {
    return this.client.request('POST', `/projects/${part(from)}/merge`, merged, { into });
  }

  /** Globs of folders that are not captured. */
  async exclusions(): Promise<string[]> {
    const answer = await this.client.request('GET', '/admin/settings', z.object({ data: z.array(setting) }));
    return answer.data[0]?.value ?? [];
  }

  async setExclusions(globs: readonly string[]): Promise<string[]> {
    return (await this.client.request('PUT', '/admin/settings/capture.exclude', setting, { value: globs })).value;
  }
}
