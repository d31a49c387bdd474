/** Task queues, each with the reason why it is one of its own. */
export const QUEUES = {
  /** Workflow tasks of every family, and activities that are one short database transaction: nothing here may wait for anybody. */
  session: 'session',
  /** Calls of the summarising model: bounded by the provider's rate and by cost, slow, and the first thing to be away. */
  model: 'model',
  /** Embedding and vector writes: bound by CPU; more at once than cores only makes each slower. */
  embedding: 'embedding',
  /** Sweeps of every minute, and the coming months' partitions: short, and capture rests on them, so that they wait for no long job. With the maintenance role. */
  sweeps: 'sweeps',
  /** Long, few jobs that look at every tenant: run with the maintenance role. */
  maintenance: 'maintenance',
  /** Reading of transcripts: long, and only a worker on the machine where the files lie can do it. */
  transcripts: 'transcripts',
} as const;
