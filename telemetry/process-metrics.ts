import { statfs } from 'node:fs/promises';
import { totalmem } from 'node:os';
import path from 'node:path';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { droppableCacheBytes } from './control-group.ts';
import { LATENCY_SECONDS } from './metric-sets.ts';
import type { MetricRegistry } from './metric-sets.ts';

/** Processes that serve metrics. */
export type MeasuredProcess = 'api' | 'worker';

const POOL_STATES = ['open', 'idle', 'waiting'] as const;

/** Folders whose disks are measured. */
const VOLUMES = ['cache', 'archive', 'backups', 'full_values'] as const;
export type Volume = (typeof VOLUMES)[number];

/** A pool of connections, as node-postgres counts them. */
interface PoolCounts {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

/** Metrics that the api and the worker both have, in a new registry with Node's own. */
export function createProcessMetrics(name: MeasuredProcess, version: string) {
  const registry: MetricRegistry = new Registry();
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  const buildInfo = new Gauge({
    name: 'recollect_build_info',
    help: 'Always 1; the version of Recollect and of Node',
    labelNames: ['process', 'version', 'node'],
    registers,
  });
  buildInfo.set({ process: name, version, node: process.version }, 1);
  return {
    registry,
    telemetryDropped: new Counter({
      name: 'recollect_telemetry_dropped_total',
      help: 'Spans that were dropped because the collector was unavailable, slow or refused them',
      registers,
    }),
    poolConnections: new Gauge({
      name: 'recollect_db_pool_connections',
      help: `Database connections by pool (app, maintenance, long_statements) and state (${POOL_STATES.join(', ')}); waiting: requests for a connection`,
      labelNames: ['pool', 'state'],
      registers,
    }),
    queryDuration: new Histogram({
      name: 'recollect_db_query_duration_seconds',
      help: 'Duration of statements of the application pool, with their wait behind others of the same connection',
      buckets: LATENCY_SECONDS,
      registers,
    }),
    memoryUsed: new Gauge({
      name: 'recollect_memory_used_bytes',
      help: 'Used memory of the container, or of the machine without a limit; without cached files that the kernel can drop',
      registers,
    }),
    memoryLimit: new Gauge({
      name: 'recollect_memory_limit_bytes',
      help: 'Memory of the container, or of the machine without a limit',
      registers,
    }),
    diskFree: new Gauge({
      name: 'recollect_disk_free_bytes',
      help: `Free space of the disk of a folder (${VOLUMES.join(', ')}), for this user`,
      labelNames: ['volume'],
      registers,
    }),
    diskSize: new Gauge({
      name: 'recollect_disk_size_bytes',
      help: `Size of the disk of a folder (${VOLUMES.join(', ')})`,
      labelNames: ['volume'],
      registers,
    }),
  };
}

export type ProcessMetrics = ReturnType<typeof createProcessMetrics>;

/** Sets the counts of a pool. */
export function showPool({ poolConnections }: ProcessMetrics, pool: string, counts: PoolCounts): void {
  poolConnections.set({ pool, state: 'open' }, counts.totalCount);
  poolConnections.set({ pool, state: 'idle' }, counts.idleCount);
  poolConnections.set({ pool, state: 'waiting' }, counts.waitingCount);
}

/** Returns the memory of this process, and of its container, or of the machine without a limit, in bytes. `root`: of the file system. */
export function measureMachine(root = '/') {
  const constrained = process.constrainedMemory();
  const isLimited = constrained > 0 && constrained < totalmem();
  const limit = isLimited ? constrained : totalmem();
  // Of a container Node counts cached files as used, of a machine it does not.
  const cached = isLimited ? droppableCacheBytes(root) : 0;
  return {
    memory_bytes: process.memoryUsage.rss(),
    machine_used_bytes: Math.max(0, limit - process.availableMemory() - cached),
    machine_limit_bytes: limit,
  };
}

/** Sets the memory of the container or the machine. */
export function showMemory({ memoryUsed, memoryLimit }: ProcessMetrics): void {
  const { machine_used_bytes: used, machine_limit_bytes: limit } = measureMachine();
  memoryLimit.set(limit);
  memoryUsed.set(used);
}

/** Returns the file system of a folder, or of the nearest one above that exists. */
async function fileSystemOf(folder: string): Promise<{ readonly free: number; readonly size: number }> {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    try {
      const { bavail, blocks, bsize } = await statfs(at);
      return { free: bavail * bsize, size: blocks * bsize };
    } catch (error) {
      if (at === path.dirname(at)) throw error;
    }
  }
}

/** Returns a function that sets the space of the disks of these folders; addresses of object stores and null have none. */
export function createDiskObserver(
  { diskFree, diskSize }: ProcessMetrics,
  folders: Readonly<Partial<Record<Volume, string | null | undefined>>>,
): () => Promise<void> {
  const local = VOLUMES.flatMap((volume) => {
    const folder = folders[volume];
    return folder === null || folder === undefined || folder.includes('://') ? [] : [{ volume, folder }];
  });
  return async () => {
    for (const { volume, folder } of local) {
      const { free, size } = await fileSystemOf(folder);
      diskFree.set({ volume }, free);
      diskSize.set({ volume }, size);
    }
  };
}
