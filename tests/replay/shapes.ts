/** Every workflow of the bundle, and the shapes of its histories that must be stored: a release that cannot replay one breaks live sessions. */
export const SHAPES = {
  session: [
    'happy',
    'reopened',
    'provider-away',
    'continued',
    'idle',
    'cancelled',
    'deleted',
    'unsummarised',
    'without-inference',
    'deferred',
    'cut-meanwhile',
    'summarised-now',
    'asked-before',
    'asked-while-leaving',
    'closed-during-summary',
    'summarised-after-outage',
    'closed',
    'capture-off',
    'retried',
    'continued-by-events',
    'batch',
    'batch-summarised-now',
  ],
  modelBatch: ['happy', 'provider-away', 'nothing-left', 'cancelled', 'continued'],
  learning: ['happy', 'failed', 'database-away'],
  index: ['happy', 'refused', 'away', 'continued'],
  reindex: ['happy', 'provider-away', 'asked', 'cancelled', 'continued'],
  captureSweep: ['happy', 'failed', 'away'],
  partitions: ['happy'],
  gdprDeadlines: ['happy'],
  consolidation: ['happy', 'continued'],
  consistencyRun: ['happy', 'asked', 'failed', 'cancelled', 'continued'],
  statisticsRun: ['happy', 'continued'],
  auditVerification: ['happy', 'continued', 'store-away'],
  transcriptImport: ['happy', 'cancelled', 'failed', 'continued'],
  transcriptWatch: ['happy'],
  backupRun: ['happy', 'scheduled', 'failed', 'prune-failed', 'copy-failed', 'cancelled', 'prune-cancelled'],
  restoreRun: ['happy', 'dry-run', 'damaged', 'cancelled', 'cancelled-late'],
  restoreDrill: ['happy', 'scheduled', 'restore-runs', 'unproved'],
  backupVerify: ['happy', 'failed'],
  claudeMemImport: ['happy', 'cancelled', 'failed', 'continued'],
  retentionRun: ['happy', 'scheduled', 'cancelled', 'failed', 'continued'],
  archiveRestore: ['happy'],
  erasureRun: ['happy', 'held', 'cancelled', 'continued'],
  exportRun: ['happy', 'failed', 'cancelled'],
  fileImport: ['happy', 'failed', 'cancelled'],
} as const satisfies Record<string, readonly string[]>;

export type WorkflowName = keyof typeof SHAPES;

/** Returns the file name of a shape's history. */
export function historyFile(workflow: string, shape: string): string {
  return `${workflow}.${shape}.json`;
}
