/** Activities of the maintenance queue at once: a backup, a restore, a retention may each take an hour, and small jobs must find a place beside them. */
export const MAINTENANCE_SLOTS = 6;
/** Activities of the queue of sweeps at once: the sweep of a minute, and the partitions beside it. */
export const SWEEPS_SLOTS = 2;
