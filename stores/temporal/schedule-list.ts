import { BACKUP_WORKFLOW } from '../../workflows/backup/messages.ts';
import { CONSOLIDATION_WORKFLOW } from '../../workflows/consolidation/messages.ts';
import { CONSISTENCY_WORKFLOW } from '../../workflows/consistency/messages.ts';
import type { ScheduleName } from '../../domain/jobs.ts';
import { CAPTURE_SWEEP_WORKFLOW, PARTITIONS_WORKFLOW } from '../../workflows/operations/messages.ts';
import { DRILL_WORKFLOW } from '../../workflows/restore/messages.ts';
import { RETENTION_WORKFLOW } from '../../workflows/retention/messages.ts';
import { STATISTICS_WORKFLOW } from '../../workflows/statistics/messages.ts';
import { TRANSCRIPT_WATCH_WORKFLOW } from '../../workflows/transcripts/messages.ts';

/** What is done when the time comes while the run before goes on: leave it out, or do it once that one has ended. */
export type Overlap = 'skip' | 'buffer_one';

export interface ScheduleEntry {
  readonly workflow: string;
  /** What a run does, in words for people. */
  readonly does: string;
  readonly overlap: Overlap;
  /** A run that was missed for less long is made up for when Temporal is back. */
  readonly catchUpSeconds: number;
  /** Why this overlap and this catch-up. */
  readonly why: string;
}

const HOUR = 3_600;
const DAY = 24 * HOUR;
/** The least that Temporal takes. */
const NONE = 10;

/** Everything that runs by a schedule, by its name. When it runs, `infra/bootstrap/schedules.ts` says from the settings. */
export const SCHEDULES: Readonly<Record<ScheduleName, ScheduleEntry>> = {
  'capture-sweep': {
    workflow: CAPTURE_SWEEP_WORKFLOW,
    does: 'tells workflows what they were never told of',
    overlap: 'skip',
    catchUpSeconds: NONE,
    why: 'A sweep looks at the present: a missed one is not worth catching up, and two at once would do the same work twice.',
  },
  partitions: {
    workflow: PARTITIONS_WORKFLOW,
    does: 'makes the coming months’ partitions, and takes out what is over',
    overlap: 'skip',
    catchUpSeconds: 7 * DAY,
    why: 'One run after a long stop is enough, and it must not be left out: months go on while the machine is off.',
  },
  transcripts: {
    workflow: TRANSCRIPT_WATCH_WORKFLOW,
    does: 'reads what was added to transcripts on this machine',
    overlap: 'skip',
    catchUpSeconds: NONE,
    why: 'One look finds all that was written since the last one: none is caught up on, and two at once would read the same files.',
  },
  consolidation: {
    workflow: CONSOLIDATION_WORKFLOW,
    does: 'joins learnings that say the same, and lets use and confidence decay',
    overlap: 'skip',
    catchUpSeconds: DAY,
    why: 'One run after a long stop does what all missed ones would have done; two at once would compare the same learnings.',
  },
  backup: {
    workflow: BACKUP_WORKFLOW,
    does: 'writes a backup set of PostgreSQL and Weaviate',
    overlap: 'buffer_one',
    catchUpSeconds: 6 * HOUR,
    why: 'A set that takes longer than the interval is followed by the next at once, so that the newest one is never two intervals old; a machine that was off makes up for one.',
  },
  'restore-drill': {
    workflow: DRILL_WORKFLOW,
    does: 'restores the newest backup beside the running instance and compares',
    overlap: 'skip',
    catchUpSeconds: 6 * DAY,
    why: 'Each takes the disk of a whole database, so never two; a machine that was off on that day drills when it is back, but not a day before the next one.',
  },
  retention: {
    workflow: RETENTION_WORKFLOW,
    does: 'removes and archives what policies say',
    overlap: 'skip',
    catchUpSeconds: 12 * HOUR,
    why: 'A run takes all that is due by then, so that a missed one is made up for by any later one; two at once would delete the same rows.',
  },
  consistency: {
    workflow: CONSISTENCY_WORKFLOW,
    does: 'compares PostgreSQL with Weaviate and with the workflows, and mends',
    overlap: 'skip',
    catchUpSeconds: 12 * HOUR,
    why: 'A comparison looks at the present: one after a stop finds what all missed ones would have found; two at once would mend the same twice.',
  },
  statistics: {
    workflow: STATISTICS_WORKFLOW,
    does: 'writes down the figures of the day',
    overlap: 'skip',
    catchUpSeconds: 23 * HOUR,
    why: 'What stood on a day can be counted on that day alone: a run is made up for until the next one is due, which writes another day.',
  },
};
