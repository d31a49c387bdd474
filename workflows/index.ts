/** Entry of the workflow bundle: every workflow that a worker can run, under the name that starts it. */
export { backupRun, backupVerify } from './backup/workflow.ts';
export { consistencyRun } from './consistency/workflow.ts';
export { claudeMemImport } from './claude-mem/workflow.ts';
export { consolidation } from './consolidation/workflow.ts';
export { erasureRun } from './erasure/workflow.ts';
export { index } from './indexing/workflow.ts';
export { learning } from './learning/workflow.ts';
export { modelBatch } from './model-batch/workflow.ts';
export { captureSweep, partitions } from './operations/workflow.ts';
export { exportRun, fileImport } from './export-import/workflow.ts';
export { reindex } from './reindex/workflow.ts';
export { archiveRestore, retentionRun } from './retention/workflow.ts';
export { session } from './session/workflow.ts';
export { statisticsRun } from './statistics/workflow.ts';
export { transcriptImport, transcriptWatch } from './transcripts/workflow.ts';
export { restoreDrill, restoreRun } from './restore/workflow.ts';
