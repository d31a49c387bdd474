/** Histories that workers of 0.1.0 wrote. No code makes them any more, and they must replay while a run of theirs may be open. */
const SESSION_0_1_0 = [
  'happy',
  'reopened',
  'provider-away',
  'continued',
  'idle',
  'cancelled',
  'deleted',
  'unsummarised',
];

/** Every workflow of the bundle, and the shapes of its histories that must be stored: a release that cannot replay one breaks live sessions. */
export const SHAPES = {
  session: [
    ...SESSION_0_1_0,
    'few-tasks-happy',
    'few-tasks-reopened',
    'few-tasks-provider-away',
    'few-tasks-continued',
    'few-tasks-idle',
    'few-tasks-cancelled',
    'few-tasks-deleted',
    'few-tasks-unsummarised',
    'few-tasks-vectors-pending',
    'few-tasks-cut-meanwhile',
    'few-tasks-summarised-now',
    'few-tasks-asked-before',
    'few-tasks-asked-while-leaving',
    'few-tasks-closed-during-summary',
    'few-tasks-closed',
    'few-tasks-capture-off',
    'few-tasks-retried',
    'few-tasks-continued-by-events',
    'batch',
    'batch-summarised-now',
  ],
  modelBatch: ['happy', 'provider-away', 'nothing-left', 'cancelled', 'continued'],
  learning: ['happy', 'failed'],
  index: ['happy', 'refused', 'away', 'continued', 'together'],
  reindex: ['happy', 'provider-away', 'asked', 'cancelled', 'continued'],
  captureSweep: ['happy', 'failed', 'away'],
  partitions: ['happy'],
  consolidation: ['happy', 'failed'],
  consistencyRun: ['happy', 'asked', 'failed', 'cancelled', 'continued'],
  statisticsRun: ['happy'],
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

/** Name of the file that holds a shape's history. */
export function historyFile(workflow: string, shape: string): string {
  return `${workflow}.${shape}.json`;
}
