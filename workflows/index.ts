/** Entry of the workflow bundle: every workflow that a worker can run, under the name that starts it. `registry.ts` lists them. */
export * from './backup/workflow.ts';
export * from './consistency/workflow.ts';
export * from './erasure/workflow.ts';
export * from './export-import/workflow.ts';
export * from './imports/workflow.ts';
export * from './indexing/workflow.ts';
export * from './model-batch/workflow.ts';
export * from './operations/workflow.ts';
export * from './restore/workflow.ts';
export * from './retention/workflow.ts';
export { learning } from './session/close.ts';
export * from './session/workflow.ts';
