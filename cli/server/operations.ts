import type { z } from 'zod';
import { backupSchema, backupsSchema, backupVerification, restoreSchema } from '../../contract/backups.ts';
import type { drillBody, restoreBody } from '../../contract/backups.ts';
import { jobAnswer, scheduleAnswer, scheduleSchema } from '../../contract/jobs.ts';
import { checkSchema } from '../../contract/operations.ts';
import {
  archiveRestore,
  archiveSchema,
  holdSchema,
  policiesSchema,
  runAnswer,
  runReport,
  runSchema,
} from '../../contract/retention.ts';
import type { countSchema, policySchema } from '../../contract/retention.ts';
import { dataOf } from '../../contract/shared.ts';
import { usageSchema } from '../../contract/usage.ts';
import type { UsageGroup } from '../../domain/jobs.ts';
import { ServerRoutes } from './server-client.ts';
import type { ServerClient } from './server-client.ts';

export type Backup = z.output<typeof backupSchema>;
export type Restore = z.output<typeof restoreSchema>;
export type RestoreOrder = z.input<typeof restoreBody>;
export type Schedule = z.output<typeof scheduleSchema>;
export type ScheduleChange = 'pause' | 'resume' | 'run';
export type Check = z.output<typeof checkSchema>;
export type Usage = z.output<typeof usageSchema>;
export type Policy = z.output<typeof policySchema>;
export type Policies = z.output<typeof policiesSchema>;
export type Run = z.output<typeof runSchema>;
export type Count = z.output<typeof countSchema>;
export type Report = z.output<typeof runReport>;
export type Hold = z.output<typeof holdSchema>;
export type Archive = z.output<typeof archiveSchema>;

const part = encodeURIComponent;

/** Backups of the instance. */
export class Backups extends ServerRoutes {
  create(): Promise<Backup> {
    return this.client.post('/admin/backup', backupSchema);
  }

  list(limit: number): Promise<z.output<typeof backupsSchema>> {
    return this.client.get('/admin/backups', backupsSchema, { limit });
  }

  show(id: string): Promise<Backup> {
    return this.client.get(`/admin/backups/${part(id)}`, backupSchema);
  }

  /** Starts the verification of a backup. Returns its job. */
  verify(id: string): Promise<z.output<typeof backupVerification>> {
    return this.client.post(`/admin/backups/${part(id)}/verify`, backupVerification);
  }

  /** Returns the state of a job: `running`, or how it ended. */
  async stateOf(jobId: string): Promise<string> {
    return (await this.client.get(`/jobs/${part(jobId)}`, jobAnswer)).job.state;
  }
}

/** Restores and drills of the instance. */
export class Restores extends ServerRoutes {
  restore(body: RestoreOrder): Promise<Restore> {
    return this.client.post('/admin/restore', restoreSchema, body);
  }

  drill(body: z.input<typeof drillBody>): Promise<Restore> {
    return this.client.post('/admin/drill', restoreSchema, body);
  }

  async list(limit: number): Promise<{ readonly data: Restore[] }> {
    return this.client.get('/admin/restores', dataOf(restoreSchema), { limit });
  }

  show(id: string): Promise<Restore> {
    return this.client.get(`/admin/restores/${part(id)}`, restoreSchema);
  }
}

/** Retention policies and runs, legal holds and archives. */
export class RetentionApi extends ServerRoutes {
  policies(): Promise<Policies> {
    return this.client.get('/admin/retention/policies', policiesSchema);
  }

  /** Replaces the policies. `hash` is of the policies that were read; the server refuses it if they changed since. */
  setPolicies(policies: readonly Omit<Policy, 'id'>[], hash: string): Promise<Policies> {
    return this.client.request('PUT', '/admin/retention/policies', policiesSchema, { body: { policies, hash } });
  }

  async start(dryRun: boolean): Promise<Run> {
    return (await this.client.post('/admin/retention', runAnswer, { dry_run: dryRun })).run;
  }

  report(id: string): Promise<Report> {
    return this.client.get(`/admin/retention/runs/${part(id)}`, runReport);
  }

  async runs(limit: number): Promise<Run[]> {
    return (await this.client.get('/admin/retention/runs', dataOf(runSchema), { limit })).data;
  }

  async approve(id: string): Promise<Run> {
    return (await this.client.post(`/admin/retention/runs/${part(id)}/approve`, runAnswer)).run;
  }

  async legalHolds(released: boolean): Promise<Hold[]> {
    return (await this.client.get('/admin/legal-holds', dataOf(holdSchema), { released })).data;
  }

  addHold(subject: string, id: string | undefined, reason: string): Promise<Hold> {
    return this.client.post('/admin/legal-holds', holdSchema, { subject, id, reason });
  }

  releaseHold(id: string): Promise<Hold> {
    return this.client.request('DELETE', `/admin/legal-holds/${part(id)}`, holdSchema);
  }

  async archives(q: string | undefined, limit: number): Promise<Archive[]> {
    return (await this.client.get('/archives', dataOf(archiveSchema), { q, limit })).data;
  }

  /** Starts the restore of an archive. Returns the id of its job. */
  async restore(id: string): Promise<string> {
    return (await this.client.post(`/archives/${part(id)}/restore`, archiveRestore)).job_id;
  }
}

/** Lists the schedules. @throws RecollectError */
export async function readSchedules(client: ServerClient): Promise<Schedule[]> {
  return (await client.get('/schedules', dataOf(scheduleSchema))).data;
}

/** Pauses a schedule with a reason, resumes it, or starts a run. @throws RecollectError */
export async function changeSchedule(
  client: ServerClient,
  name: string,
  change: ScheduleChange,
  reason: string | undefined,
): Promise<Schedule> {
  const body = reason === undefined ? undefined : { reason };
  return (await client.post(`/schedules/${part(name)}/${change}`, scheduleAnswer, body)).schedule;
}

/** Starts a consistency check. @throws RecollectError */
export function startCheck(client: ServerClient, repair: boolean): Promise<Check> {
  return client.post('/admin/consistency', checkSchema, { repair });
}

/** Reads a consistency check and its progress. @throws RecollectError */
export function readCheck(client: ServerClient, id: string): Promise<Check> {
  return client.get(`/admin/consistency/checks/${part(id)}`, checkSchema);
}

export interface UsageQuestion {
  /** RFC 3339. */
  readonly since: string;
  readonly by: UsageGroup;
  /** Id or name of a user; `me` for the caller. */
  readonly user?: string;
}

/** Reads what the models cost. @throws RecollectError */
export function readUsage(client: ServerClient, { since, by, user }: UsageQuestion): Promise<Usage> {
  return client.get('/usage', usageSchema, { since, group_by: by, user });
}
