import type { z } from 'zod';
import { jobAnswer, jobsAnswer } from '../../contract/jobs.ts';
import type { jobSchema } from '../../contract/jobs.ts';
import { forgottenSchema } from '../../contract/memory.ts';
import { mergeAnswer, projectSchema, settingSchema } from '../../contract/projects.ts';
import type { projectChange } from '../../contract/projects.ts';
import { actionAnswer, sessionDetail } from '../../contract/sessions.ts';
import { dataOf, pageOfItems } from '../../contract/shared.ts';
import { traceAnswer } from '../../contract/trace.ts';
import type { traceSchema } from '../../contract/trace.ts';
import { ServerRoutes } from './server-client.ts';

export type Job = z.output<typeof jobSchema>;
export type Order = z.output<typeof actionAnswer>;
export type Trace = z.output<typeof traceSchema>;
export type Traces = z.output<typeof traceAnswer>;
export type Forgotten = z.output<typeof forgottenSchema>;
export type Project = z.output<typeof projectSchema>;

const part = encodeURIComponent;
const projects = pageOfItems(projectSchema);

export interface JobFilter {
  readonly state?: string | undefined;
  readonly kind?: string | undefined;
  readonly project?: string | undefined;
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
}

/** Sessions, jobs, events and projects. */
export class Steering extends ServerRoutes {
  jobs(filter: JobFilter): Promise<z.output<typeof jobsAnswer>> {
    return this.client.get('/jobs', jobsAnswer, { ...filter });
  }

  async job(id: string): Promise<Job> {
    return (await this.client.get(`/jobs/${part(id)}`, jobAnswer)).job;
  }

  async changeJob(id: string, change: 'retry' | 'cancel'): Promise<Job> {
    return (await this.client.post(`/jobs/${part(id)}/${change}`, jobAnswer)).job;
  }

  /** Summarises or closes a session, and waits for it up to `waitSeconds`. */
  order(session: string, what: 'summaries' | 'close', waitSeconds: number): Promise<Order> {
    const path = `/sessions/${part(session)}/${what}`;
    return this.client.request('POST', path, actionAnswer, { query: { wait: waitSeconds } });
  }

  async setCapture(session: string, capture: boolean): Promise<boolean> {
    const path = `/sessions/${part(session)}`;
    return (await this.client.request('PUT', path, sessionDetail, { body: { capture } })).capture;
  }

  trace(key: string, session: string | undefined): Promise<Traces> {
    return this.client.get('/trace', traceAnswer, { key, session });
  }

  forgetEvent(key: string, session: string | undefined, dryRun: boolean): Promise<Forgotten> {
    const query = { session, dry_run: dryRun };
    return this.client.request('DELETE', `/events/${part(key)}`, forgottenSchema, { query });
  }

  forgetSession(session: string, dryRun: boolean): Promise<Forgotten> {
    const query = { dry_run: dryRun };
    return this.client.request('DELETE', `/sessions/${part(session)}`, forgottenSchema, { query });
  }

  projects(search: string | undefined, limit: number): Promise<z.output<typeof projects>> {
    return this.client.get('/projects', projects, { search, limit });
  }

  project(given: string): Promise<Project> {
    return this.client.get(`/projects/${part(given)}`, projectSchema);
  }

  changeProject(given: string, change: z.input<typeof projectChange>): Promise<Project> {
    return this.client.request('PUT', `/projects/${part(given)}`, projectSchema, { body: change });
  }

  mergeProjects(from: string, into: string): Promise<z.output<typeof mergeAnswer>> {
    return this.client.post(`/projects/${part(from)}/merge`, mergeAnswer, { into });
  }

  /** Returns the globs of folders that are excluded from capture. */
  async exclusions(): Promise<string[]> {
    return (await this.client.get('/admin/settings', dataOf(settingSchema))).data[0]?.value ?? [];
  }

  async setExclusions(globs: readonly string[]): Promise<string[]> {
    const body = { value: globs };
    return (await this.client.request('PUT', '/admin/settings/capture.exclude', settingSchema, { body })).value;
  }
}
