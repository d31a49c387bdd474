import type { ScheduleName } from '../../domain/jobs.ts';
import type { WorkflowName } from './job-starters.ts';

/** What happens if a run is due while the previous one is active: skip it, or start it when that one has ended. */
export type Overlap = 'skip' | 'buffer_one';

export interface ScheduleEntry {
  readonly workflow: WorkflowName;
  /** What a run does, for users. */
  readonly does: string;
  readonly overlap: Overlap;
  /** A run that was missed for a shorter time starts when Temporal is available again. */
  readonly catchUpSeconds: number;
  /** Why this overlap and this catch-up. */
  readonly why: string;
}

const HOUR = 3_600;
const DAY = 24 * HOUR;
/** The minimum that Temporal accepts. */
const NONE = 10;

/** All schedules by name. `infra/bootstrap/schedules.ts` derives the times from the settings. */
export const SCHEDULES: Readonly<Record<ScheduleName, ScheduleEntry>> = {
  'capture-sweep': {
    workflow: 'captureSweep',
    does: 'resends lost hints to session workflows',
    overlap: 'skip',
    catchUpSeconds: NONE,
    why: 'A sweep reads the current state: a missed run needs no catch-up, and two concurrent runs would do the same work twice.',
  },
  partitions: {
    workflow: 'partitions',
    does: 'creates the partitions of the coming months and removes expired ones',
    overlap: 'skip',
    catchUpSeconds: 7 * DAY,
    why: 'One run after a long stop is enough, and it is required: new months begin while the machine is off.',
  },
  transcripts: {
    workflow: 'transcriptWatch',
    does: 'reads new lines of transcripts on this machine',
    overlap: 'skip',
    catchUpSeconds: NONE,
    why: 'One run reads all lines since the last one: missed runs need no catch-up, and two concurrent runs would read the same files.',
  },
  consolidation: {
    workflow: 'consolidation',
    does: 'merges duplicate learnings, and applies the decay of use and confidence',
    overlap: 'skip',
    catchUpSeconds: DAY,
    why: 'One run after a long stop does the work of all missed ones; two concurrent runs would compare the same learnings.',
  },
  backup: {
    workflow: 'backupRun',
    does: 'writes a backup set of PostgreSQL and Weaviate',
    overlap: 'buffer_one',
    catchUpSeconds: 6 * HOUR,
    why: 'A backup that takes longer than the interval is followed by the next one immediately, so that the newest is never two intervals old; a machine that was off catches up on one.',
  },
  'restore-drill': {
    workflow: 'restoreDrill',
    does: 'restores the newest backup beside the running instance and compares',
    overlap: 'skip',
    catchUpSeconds: 6 * DAY,
    why: 'A drill needs disk space for a complete database, so never two at once; a machine that was off on that day drills later, but not on the day before the next one.',
  },
  retention: {
    workflow: 'retentionRun',
    does: 'deletes and archives rows by the retention policies',
    overlap: 'skip',
    catchUpSeconds: 12 * HOUR,
    why: 'A run processes all rows that are due, so a later run covers missed ones; two concurrent runs would delete the same rows.',
  },
  consistency: {
    workflow: 'consistencyRun',
    does: 'compares PostgreSQL with Weaviate and with the workflows, and repairs differences',
    overlap: 'skip',
    catchUpSeconds: 12 * HOUR,
    why: 'A check reads the current state: one after a stop finds what all missed ones would have found; two concurrent checks would repair the same differences.',
  },
  statistics: {
    workflow: 'statisticsRun',
    does: 'records the statistics of the day',
    overlap: 'skip',
    catchUpSeconds: 23 * HOUR,
    why: 'The state of a day can only be counted on that day: a missed run is caught up until the next one is due, which records another day.',
  },
};
