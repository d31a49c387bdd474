import { readdirSync, statSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Environment } from '../../config/process-environment.ts';
import { VERSION } from '../../config/version.ts';
import { TEMPORAL, WEAVIATE } from '../../infra/engines/pinned.ts';
import { isSystemError } from '../../infra/instance/json-file.ts';
import type { InstanceLayout } from '../../infra/instance/layout.ts';
import { LAYOUT_VERSION } from '../../infra/instance/version-stamp.ts';
import type { Finding } from '../doctor/machine.ts';
import type { ServerClient } from '../server/server-client.ts';
import { logsOf } from './log-lines.ts';
import { serverReport } from './server-report.ts';
import { settingsOf } from './settings.ts';

const MIB = 1024 ** 2;

/** Returns the size of a folder in bytes; 0 without one. */
function bytesIn(folder: string): number {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true }).reduce(
      (sum, entry) =>
        entry.isFile()
          ? sum + (statSync(path.join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0)
          : sum,
      0,
    );
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return 0;
    throw error;
  }
}

/** Returns a value whose texts name no home directory and no user of the machine. */
function withoutHome<Value>(value: Value, home: string): unknown {
  if (typeof value === 'string') return home.length > 1 ? value.replaceAll(home, '~') : value;
  if (Array.isArray(value)) return value.map((entry: unknown) => withoutHome(entry, home));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, withoutHome(entry, home)]));
}

/**
 * Returns what helps to find a fault of an instance: versions, settings, checks, processes, health, metrics, the last errors, stuck jobs. It has no
 * captured text, no title or name, no key and no value of a setting that could be one. `server`: null if there is none.
 */
export async function supportBundle(given: {
  readonly layout: InstanceLayout;
  readonly environment: Environment;
  readonly findings: readonly Finding[];
  readonly services: unknown;
  readonly server: ServerClient | null;
}): Promise<unknown> {
  const { layout, environment, findings, services, server } = given;
  const folders = ['postgres', 'temporal', 'weaviate', 'backups', 'archive', 'logs'];
  const bundle = {
    created_at: new Date().toISOString(),
    versions: {
      recollect: VERSION,
      layout: LAYOUT_VERSION,
      node: process.versions.node,
      temporal: TEMPORAL.version,
      weaviate: WEAVIATE.version,
    },
    machine: {
      system: `${os.type()} ${os.release()} ${os.arch()}`,
      processors: os.availableParallelism(),
      memory_mib: Math.round(os.totalmem() / MIB),
      free_memory_mib: Math.round(os.freemem() / MIB),
      load: os.loadavg(),
    },
    settings: settingsOf(environment),
    checks: findings,
    services,
    data_mib: Object.fromEntries(
      folders.map((name) => [name, Math.round(bytesIn(path.join(layout.dataDir, name)) / MIB)]),
    ),
    server: server === null ? null : await serverReport(server),
    logs: logsOf(layout.logs),
  };
  return withoutHome(bundle, environment['HOME'] ?? os.homedir());
}
