import path from 'node:path';
import { z } from 'zod';
import type { Manifest } from '../../../activities/backup/manifest.ts';
import { manifestSchema, signedManifestSchema } from '../../../activities/backup/manifest.ts';
import type { BenchInstance } from '../capture/bench-instance.ts';
import { runLoad } from '../capture/load.ts';
import { createDirectoryArchive } from '../../../stores/archive/directory.ts';
import { readManifestBytes } from '../../../activities/backup/read-manifest.ts';
import { runJob } from './api.ts';
import { measured } from './measure.ts';

const BACKUP_MS = 1_800_000;
const LOAD_MS = 15_000;
const CLIENTS = 8;
const MIB = 1024 * 1024;

const backupRow = z.looseObject({ id: z.string(), plain_bytes: z.number(), bytes: z.number(), vectors: z.number() });

/** Returns the backup folder of an instance with this data directory. */
export function setsFolder(dataDir: string): string {
  return path.join(dataDir, 'backups');
}

async function manifestOf(dataDir: string, backupId: string): Promise<{ manifest: Manifest; publicKey: string }> {
  const bytes = await readManifestBytes(createDirectoryArchive(setsFolder(dataDir)), backupId);
  const signed = signedManifestSchema.parse(JSON.parse(bytes.toString('utf8')));
  return { manifest: manifestSchema.parse(JSON.parse(signed.manifest)), publicKey: signed.publicKey };
}

export interface BackupFigures {
  readonly backupId: string;
  readonly publicKey: string;
  readonly snapshotAt: string;
  readonly tableMib: number;
  readonly figures: Readonly<Record<string, unknown>>;
}

/** Measures rate and memory of a backup without other load. */
export async function benchBackup(instance: BenchInstance): Promise<BackupFigures> {
  const { result, seconds, growsMib } = await measured(instance, () =>
    runJob(instance, '/admin/backup', undefined, '/admin/backups', BACKUP_MS),
  );
  const row = backupRow.parse(result);
  const { manifest, publicKey } = await manifestOf(instance.dataDir, row.id);
  const tableBytes = manifest.tables.flatMap((table) => table.files).reduce((sum, file) => sum + file.plainBytes, 0);
  const tableMib = Math.round(tableBytes / MIB);
  return {
    backupId: row.id,
    publicKey,
    snapshotAt: manifest.snapshotAt,
    tableMib,
    figures: {
      seconds,
      table_mb_per_s: Math.round(tableBytes / 1e6 / seconds),
      table_mib: tableMib,
      stored_mib: Math.round(row.bytes / MIB),
      vectors: row.vectors,
      worker_grows_mib: growsMib,
    },
  };
}

/**
 * Measures single events of the same clients before, during and after a backup. A first load, which is not measured, ensures that workers
 * are busy with earlier events in all three.
 */
export async function benchCaptureBeside(instance: BenchInstance): Promise<Readonly<Record<string, number>>> {
  const load = (name: string) =>
    runLoad({
      port: instance.port,
      path: '/api/v1/events',
      key: instance.key,
      name,
      clients: CLIENTS,
      batch: 1,
      form: 'event',
      sessionsPerClient: 1,
      warmUpMs: 2_000,
      measureMs: LOAD_MS,
    });
  await load('first');
  const before = await load('before');
  const backup = runJob(instance, '/admin/backup', undefined, '/admin/backups', BACKUP_MS);
  const beside = await load('beside');
  await backup;
  const after = await load('after');
  const p99Alone = (before.p99_ms + after.p99_ms) / 2;
  return {
    p99_before_ms: before.p99_ms,
    p99_beside_ms: beside.p99_ms,
    p99_after_ms: after.p99_ms,
    p99_ratio: Math.round((beside.p99_ms / p99Alone) * 100) / 100,
    per_s_before: before.accepted_per_s,
    per_s_beside: beside.accepted_per_s,
    per_s_after: after.accepted_per_s,
  };
}
