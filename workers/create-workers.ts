import { totalmem } from 'node:os';
import { Worker } from '@temporalio/worker';
import type { NativeConnection, WorkerOptions } from '@temporalio/worker';
import { createActivityInterceptor } from '../activities/interceptor.ts';
import type { Config } from '../config/config.ts';
import { usesOutside } from '../config/provider-settings.ts';
import { VERSION } from '../config/version.ts';
import { WORKER_QUEUES } from '../domain/jobs.ts';
import type { WorkerQueue } from '../domain/jobs.ts';
import { QUEUES } from '../workflows/registry.ts';
import { DEPLOYMENT } from '../stores/temporal/deployment.ts';
import { readBundle, workflowCodeMark } from './bundle.ts';
import type { WorkerDependencies } from './dependencies.ts';
import { MAINTENANCE_SLOTS, SWEEPS_SLOTS } from './pools.ts';

/** Memory of the machine or of the container. */
function memoryBytes(): number {
  return Math.min(totalmem(), process.constrainedMemory() || Infinity);
}

/** Short transactions: as many at once as the pool has connections. */
const SESSION_POLLS = 4;
/**
 * Workflows in memory; a task of any other one replays its history. Those that live are sessions in progress: they wait for their next hint. A session of an
 * import begins and ends in one task and stays in no cache, so that thousands of them evict little. A waiting session takes up to a megabyte (measured: the process grew by 0.5 to
 * 0.9 MB each with 340 and 460 of them), and the cache takes at most a 25th of the memory: 8 GB hold some 330 sessions.
 */
const CACHED_WORKFLOWS = Math.ceil(memoryBytes() / 25 / 1_024 ** 2);
const STICKY_MS = 3_000;

/** The build id of a worker: as given, else the package's version with the mark of its workflow code. */
export function buildIdOf(config: Config): string {
  if (config.worker.buildId !== undefined) return config.worker.buildId;
  return `${VERSION}+${workflowCodeMark()}`;
}

/** Returns the options of one queue's worker. All are explicit: the SDK's defaults suit no particular deployment. */
function optionsOf(
  queue: WorkerQueue,
  config: Config,
  dependencies: WorkerDependencies,
): Omit<WorkerOptions, 'connection'> {
  const common = {
    namespace: config.temporal.namespace,
    taskQueue: QUEUES[queue],
    activities: dependencies.activities[queue],
    // The log is the outer one: it sees typed failures.
    interceptors: { activity: [dependencies.activityLog, createActivityInterceptor(dependencies.isBurst)] },
    shutdownGraceTime: config.shutdownGraceMs,
    shutdownForceTime: config.shutdownGraceMs * 2,
    workerDeploymentOptions: {
      version: { deploymentName: DEPLOYMENT, buildId: buildIdOf(config) },
      useWorkerVersioning: true,
      // Sessions live for days: they move on to the newest build with their next task, which their stored histories prove to be safe.
      defaultVersioningBehavior: 'AUTO_UPGRADE',
    },
    maxHeartbeatThrottleInterval: 4_000,
    defaultHeartbeatThrottleInterval: 2_000,
  } satisfies Partial<WorkerOptions>;
  switch (queue) {
    case 'session':
      return {
        ...common,
        workflowBundle: readBundle(),
        maxConcurrentWorkflowTaskExecutions: 20,
        maxConcurrentWorkflowTaskPolls: SESSION_POLLS,
        maxCachedWorkflows: CACHED_WORKFLOWS,
        // A workflow whose worker was killed moves to another one after this time.
        stickyQueueScheduleToStartTimeout: STICKY_MS,
        workflowThreadPoolSize: 1,
        // Together with activities: a step that waits for a connection would use up its time.
        maxConcurrentLocalActivityExecutions: Math.ceil(config.database.poolMax / 2),
        maxConcurrentActivityTaskExecutions: config.database.poolMax,
        maxConcurrentActivityTaskPolls: SESSION_POLLS,
      };
    case 'model':
      return {
        ...common,
        // A call of a paid model waits in its slot for its user's turn: other users must find slots meanwhile. The database enforces the limit.
        maxConcurrentActivityTaskExecutions: config.model.concurrency * (usesOutside(config.model) ? 3 : 1),
        maxConcurrentActivityTaskPolls: 2,
      };
    case 'embedding':
      // One batch at a time occupies the embedder; a second one loads its texts meanwhile.
      return { ...common, maxConcurrentActivityTaskExecutions: 2, maxConcurrentActivityTaskPolls: 1 };
    case 'sweeps':
      return { ...common, maxConcurrentActivityTaskExecutions: SWEEPS_SLOTS, maxConcurrentActivityTaskPolls: 1 };
    case 'maintenance':
      return { ...common, maxConcurrentActivityTaskExecutions: MAINTENANCE_SLOTS, maxConcurrentActivityTaskPolls: 2 };
    case 'transcripts':
      // An import, and the watch beside it: reading is bound by the store.
      return { ...common, maxConcurrentActivityTaskExecutions: 2, maxConcurrentActivityTaskPolls: 1 };
  }
}

/** One worker for each queue that this process serves. */
export function createWorkers(
  config: Config,
  connection: NativeConnection,
  dependencies: WorkerDependencies,
): Promise<Worker[]> {
  const queues = WORKER_QUEUES.filter((queue) => config.worker.queues.includes(queue));
  return Promise.all(queues.map((queue) => Worker.create({ ...optionsOf(queue, config, dependencies), connection })));
}
