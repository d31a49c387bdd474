import { JOBS, QUEUES, SCHEDULES, SESSION_PHASES } from '../workflows/registry.ts';
import type { JobKind, ScheduleName, SessionPhase } from '../workflows/registry.ts';

/* Names, states and phases of background work, the same in every layer. */

function keysOf<Key extends string>(record: Readonly<Record<Key, unknown>>): readonly Key[] {
  return Object.keys(record).filter((key): key is Key => Object.hasOwn(record, key));
}

/** Every kind of job. Operations are runs of schedules: they belong to no tenant. */
export const JOB_KINDS = keysOf<JobKind>(JOBS);
/** Names of the schedules, which cover all tenants or the instance. */
export const SCHEDULE_NAMES = keysOf<ScheduleName>(SCHEDULES);
/** Task queues of worker processes. */
export const WORKER_QUEUES = keysOf<keyof typeof QUEUES>(QUEUES);
export type WorkerQueue = keyof typeof QUEUES;
export { SCHEDULES, SESSION_PHASES };
export type { JobKind, ScheduleName, SessionPhase };

/** States of the row that a job stores in PostgreSQL. */
export const WORK_STATES = ['running', 'completed', 'failed', 'cancelled'] as const;
export type WorkState = (typeof WORK_STATES)[number];
/** States of a workflow run. */
export const RUN_STATES = [...WORK_STATES, 'terminated'] as const;
export type RunState = (typeof RUN_STATES)[number];

export const EXPORT_STATES = [...WORK_STATES, 'expired'] as const;
export const EXPORT_SCOPES = ['tenant', 'project', 'user', 'session'] as const;

export const ERASURE_PHASES = ['queued', 'journalled', 'rows', 'vectors', 'files', 'completed'] as const;
export type ErasurePhase = (typeof ERASURE_PHASES)[number];

export const RESTORE_KINDS = ['restore', 'drill'] as const;
export type RestoreKind = (typeof RESTORE_KINDS)[number];
export const RESTORE_PHASES = [
  'checking',
  'copying',
  'indexing',
  'verifying',
  'vectors',
  'swapping',
  'resuming',
] as const;
export type RestorePhase = (typeof RESTORE_PHASES)[number];

export const RETENTION_MODES = ['dry_run', 'run'] as const;
export type RetentionMode = (typeof RETENTION_MODES)[number];
export const HOLD_SUBJECTS = ['tenant', 'project', 'session', 'user'] as const;
export type HoldSubject = (typeof HOLD_SUBJECTS)[number];

/** Columns that a usage report can be grouped by. */
export const USAGE_GROUPS = ['user', 'provider', 'model', 'operation', 'day', 'project', 'session'] as const;
export type UsageGroup = (typeof USAGE_GROUPS)[number];
