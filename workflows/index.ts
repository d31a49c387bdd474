/** Entry of the workflow bundle: every workflow that a worker can run, under the name that starts it. */
export { consolidation } from './consolidation/workflow.ts';
export { index } from './indexing/workflow.ts';
export { learning } from './learning/workflow.ts';
export { modelBatch } from './model-batch/workflow.ts';
export { captureSweep, partitions } from './operations/workflow.ts';
export { reindex } from './reindex/workflow.ts';
export { session } from './session/workflow.ts';
export { transcriptImport, transcriptWatch } from './transcripts/workflow.ts';
