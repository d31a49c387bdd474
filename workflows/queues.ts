/** Task queues, each with the reason why it is one of its own. */
export const QUEUES = {
  /** Workflow tasks of every family, and activities that are one short database transaction: nothing here may block. */
  session: 'session',
  /** Calls of the summarising model: bounded by the provider's rate and by cost, slow, and the first to be unavailable. */
  model: 'model',
  /** Embedding and vector writes: CPU-bound; more concurrency than cores slows each one. */
  embedding: 'embedding',
  /** Sweeps of every minute, and the coming months' partitions: short, and capture rests on them, so that they wait for no long job. With the maintenance role. */
  sweeps: 'sweeps',
  /** Few long jobs over all tenants: run with the maintenance role. */
  maintenance: 'maintenance',
  /** Reading of transcripts: long, and only possible for a worker on the machine of the files. */
  transcripts: 'transcripts',
} as const;
