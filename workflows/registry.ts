import type * as workflows from './index.ts';

/** Task queues, each with the reason why it is one of its own. All workflow tasks are on `session`. */
export const QUEUES = {
  /** Workflow tasks, and activities that are one short database transaction: nothing here may block. */
  session: 'session',
  /** Calls of the summarising model: bounded by the provider's rate and by cost, slow, and the first to be unavailable. */
  model: 'model',
  /** Embedding and vector writes: CPU-bound; more concurrency than cores slows each one. */
  embedding: 'embedding',
  /** Sweeps of every minute, and the coming months' partitions: short, and capture depends on them, so that they wait for no long job. With the maintenance role. */
  sweeps: 'sweeps',
  /** Few long jobs over all tenants: run with the maintenance role. */
  maintenance: 'maintenance',
  /** Reading of transcripts: long, and only possible for a worker on the machine of the files. */
  transcripts: 'transcripts',
} as const;

/** Attributes by which workflows can be listed: ids and closed words only. A start sets the tenant; the workflow sets the others. */
export const ATTRIBUTES = {
  tenant: { name: 'RecollectTenant', type: 'KEYWORD' },
  project: { name: 'RecollectProject', type: 'KEYWORD' },
  phase: { name: 'RecollectPhase', type: 'KEYWORD' },
  waiting: { name: 'RecollectWaiting', type: 'KEYWORD' },
} as const;

/** Phases of a session's workflow, in their order; `cancelled` may follow each. */
export const SESSION_PHASES = ['active', 'summarising', 'closing', 'settled', 'cancelled'] as const;
export type SessionPhase = (typeof SESSION_PHASES)[number];

/** Query of every job: its progress, as the view of the job. */
export const PROGRESS_QUERY = 'progress';

/** Every `patched` of the workflow code: its id, the day it was added, and when it can be removed. A test compares the code with this list. */
export const PATCHES: readonly { readonly id: string; readonly since: string; readonly removeWhen: string }[] = [
  {
    id: 'consume-during-summary',
    since: '2026-11-26',
    removeWhen: 'no run that wrote a requested summary before this day is open or retained',
  },
];

/**
 * Kinds of jobs, with the first part of their workflow ids. The id continues with the tenant and the subject in scope `tenant`, with the id of the
 * job's row in scope `row`, and with the name of the schedule in scope `instance`. Users can cancel every kind.
 */
export const JOBS = {
  session: { prefix: 'session', scope: 'tenant' },
  learning: { prefix: 'learn', scope: 'tenant' },
  index: { prefix: 'index', scope: 'tenant' },
  reindex: { prefix: 'reindex', scope: 'tenant' },
  batch: { prefix: 'model-batch', scope: 'tenant' },
  import: { prefix: 'job/import', scope: 'row' },
  check: { prefix: 'job/consistency', scope: 'row' },
  backup: { prefix: 'job/backup', scope: 'row' },
  restore: { prefix: 'job/restore', scope: 'row' },
  retention: { prefix: 'job/retention', scope: 'row' },
  erasure: { prefix: 'job/erasure', scope: 'row' },
  export: { prefix: 'job/export', scope: 'row' },
  operation: { prefix: 'ops', scope: 'instance' },
} as const;
export type JobKind = keyof typeof JOBS;

/** Names of the workflows that workers run. */
export type WorkflowName = keyof typeof workflows;
/** Input of a workflow that is started with one. */
export type WorkflowInput<Name extends WorkflowName> = NonNullable<Parameters<(typeof workflows)[Name]>[0]>;
/** Priorities of workflows and their tasks, the lowest number first; a workflow has the one that it started with. */
export const PRIORITIES = {
  /** The one index workflow of a tenant would otherwise wait with each of its tasks behind thousands of sessions. */
  index: 1,
  usual: 3,
  /** Sessions of an import: those in progress are served before them. */
  backfill: 4,
} as const;

/** The kind of job that a start of a workflow creates. Runs of schedules are operations. */
export const KINDS = {
  session: 'session',
  learning: 'learning',
  index: 'index',
  reindex: 'reindex',
  modelBatch: 'batch',
  transcriptImport: 'import',
  claudeMemImport: 'import',
  fileImport: 'import',
  consistencyRun: 'check',
  backupRun: 'backup',
  backupVerify: 'backup',
  restoreRun: 'restore',
  restoreDrill: 'restore',
  retentionRun: 'retention',
  archiveRestore: 'retention',
  erasureRun: 'erasure',
  exportRun: 'export',
  captureSweep: 'operation',
  partitions: 'operation',
  gdprDeadlines: 'operation',
  transcriptWatch: 'operation',
  consolidation: 'operation',
  statisticsRun: 'operation',
  auditVerification: 'operation',
} as const satisfies Record<WorkflowName, JobKind>;

export interface Schedule {
  readonly workflow: WorkflowName;
  /** What a run does, for users. */
  readonly description: string;
  /** UTC: an interval in ms or of a setting, or the time of day or week of a setting (`ScheduleTimes` in `infra/bootstrap/schedules.ts`). */
  readonly time:
    | { readonly everyMs: number | 'sweepIntervalMs' }
    | { readonly everyHours: 'backupEveryHours'; readonly offsetMs: number }
    | {
        readonly at:
          | 'drillAt'
          | 'retentionAt'
          | 'consolidationAt'
          | 'consistencyAt'
          | 'statisticsAt'
          | 'auditVerificationAt';
      };
  /** What happens if a run is due while the previous one is active: skip it, or start it when that one has ended. */
  readonly overlap: 'skip' | 'buffer_one';
  /** A run that was missed for a shorter time starts when Temporal is available again. */
  readonly catchUpSeconds: number;
  /** Why this overlap and this catch-up. */
  readonly why: string;
}

const MINUTE_MS = 60_000;
const HOUR = 3_600;
const DAY = 24 * HOUR;
/** The minimum that Temporal accepts. */
const NO_CATCH_UP = 10;

/** All schedules by name, hours apart to spread the load. A run's id begins with `ops/` and the name. */
export const SCHEDULES = {
  'audit-verification': {
    workflow: 'auditVerification',
    description: 'verifies the chains of the audit log against the backups',
    time: { at: 'auditVerificationAt' },
    overlap: 'skip',
    catchUpSeconds: 12 * HOUR,
    why: 'A verification reads all rows: one after a stop finds what all missed ones would have found.',
  },
  backup: {
    workflow: 'backupRun',
    description: 'writes a backup set of PostgreSQL and Weaviate',
    // Between statistics (00:20) and retention (02:10): backups precede deletions.
    time: { everyHours: 'backupEveryHours', offsetMs: 50 * MINUTE_MS },
    overlap: 'buffer_one',
    catchUpSeconds: 6 * HOUR,
    why: 'A backup that takes longer than the interval is followed by the next one immediately, so that the newest is never two intervals old; a machine that was off catches up on one.',
  },
  'capture-sweep': {
    workflow: 'captureSweep',
    description: 'resends lost hints to session workflows',
    time: { everyMs: 'sweepIntervalMs' },
    overlap: 'skip',
    catchUpSeconds: NO_CATCH_UP,
    why: 'A sweep reads the current state: a missed run needs no catch-up, and two concurrent runs would do the same work twice.',
  },
  consistency: {
    workflow: 'consistencyRun',
    description: 'compares PostgreSQL with Weaviate and with the workflows, and repairs differences',
    time: { at: 'consistencyAt' },
    overlap: 'skip',
    catchUpSeconds: 12 * HOUR,
    why: 'A check reads the current state: one after a stop finds what all missed ones would have found; two concurrent checks would repair the same differences.',
  },
  consolidation: {
    workflow: 'consolidation',
    description: 'merges duplicate learnings, and applies the decay of use and confidence',
    time: { at: 'consolidationAt' },
    overlap: 'skip',
    catchUpSeconds: DAY,
    why: 'One run after a long stop does the work of all missed ones; two concurrent runs would compare the same learnings.',
  },
  'gdpr-deadlines': {
    workflow: 'gdprDeadlines',
    description: 'alerts admins of requests about personal data that are overdue or due within a week',
    time: { everyMs: DAY * 1_000 },
    overlap: 'skip',
    catchUpSeconds: DAY,
    why: 'A run reads the current state: one after a stop finds what all missed ones would have found.',
  },
  partitions: {
    workflow: 'partitions',
    description: 'creates the partitions of the coming months and removes expired ones',
    time: { everyMs: DAY * 1_000 },
    overlap: 'skip',
    catchUpSeconds: 7 * DAY,
    why: 'One run after a long stop is enough, and it is required: new months begin while the machine is off.',
  },
  'restore-drill': {
    workflow: 'restoreDrill',
    description: 'restores the newest backup beside the running instance and compares',
    time: { at: 'drillAt' },
    overlap: 'skip',
    catchUpSeconds: 6 * DAY,
    why: 'A drill needs disk space for a complete database, so never two at once; a machine that was off on that day drills later, but not on the day before the next one.',
  },
  retention: {
    workflow: 'retentionRun',
    description: 'deletes and archives rows by the retention policies',
    time: { at: 'retentionAt' },
    overlap: 'skip',
    catchUpSeconds: 12 * HOUR,
    why: 'A run processes all rows that are due, so a later run covers missed ones; two concurrent runs would delete the same rows.',
  },
  statistics: {
    workflow: 'statisticsRun',
    description: 'records the statistics of the day',
    time: { at: 'statisticsAt' },
    overlap: 'skip',
    catchUpSeconds: 23 * HOUR,
    why: 'The state of a day can only be counted on that day: a missed run is caught up until the next one is due, which records another day.',
  },
  transcripts: {
    workflow: 'transcriptWatch',
    description: 'reads new lines of transcripts on this machine',
    time: { everyMs: MINUTE_MS },
    overlap: 'skip',
    catchUpSeconds: NO_CATCH_UP,
    why: 'One run reads all lines since the last one: missed runs need no catch-up, and two concurrent runs would read the same files.',
  },
} as const satisfies Record<string, Schedule>;
export type ScheduleName = keyof typeof SCHEDULES;

type KindOf<Scope> = { [Kind in JobKind]: (typeof JOBS)[Kind]['scope'] extends Scope ? Kind : never }[JobKind];

/**
 * Builds every workflow id, such as `session/<tenant>/<session>`. Ids contain row ids, numbers and names of schedules, never user text: they are
 * logged, and not encrypted.
 */
export function workflowIdOf(kind: KindOf<'tenant'>, tenantId: string, subject: string | number): string;
export function workflowIdOf(kind: KindOf<'row' | 'instance'>, subject: string): string;
export function workflowIdOf(kind: JobKind, ...parts: readonly (string | number)[]): string {
  return [JOBS[kind].prefix, ...parts].join('/');
}
